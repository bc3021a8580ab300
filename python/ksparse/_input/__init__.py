"""Validation of all arguments: arrays, settings, threads and progress."""
