"""Who is watching, and what they say to each other."""
