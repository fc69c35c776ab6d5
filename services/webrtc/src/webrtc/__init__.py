"""Live pictures over WebRTC, out of the bus."""
