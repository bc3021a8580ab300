"""Fits whose rows are not all in memory: they are in a file, or on several machines."""
