"""The page, the HTTP API and the live pictures, out of what the bus says."""
