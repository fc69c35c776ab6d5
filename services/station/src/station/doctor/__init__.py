"""`make doctor`: what stands in the way of a station on this machine, and what to do about it."""
