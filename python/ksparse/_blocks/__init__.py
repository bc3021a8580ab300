"""Fits of rows that are not all in memory, because they are in a file or on several machines."""
