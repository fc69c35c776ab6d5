"""AAC out of the bus while somebody listens."""
