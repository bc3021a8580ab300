"""Rows that lie on several machines, on Dask."""
