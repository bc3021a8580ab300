"""Fits of rows that are distributed over several machines, with Dask."""
