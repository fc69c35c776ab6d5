"""One camera: captured and encoded once, published on the bus frame by frame."""
