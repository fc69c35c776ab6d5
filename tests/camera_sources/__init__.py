"""Sources as real cameras are, faults included, for the tests of the driver url."""
