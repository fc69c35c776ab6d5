"""Reads the air, the processor, the system and the sound, and publishes them."""
