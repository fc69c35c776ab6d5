"""Follows each camera's growing metadata file and publishes the newest record."""
