"""The motor: limits, homing, stop."""
