"""Keeps every reading, and answers what it was."""
