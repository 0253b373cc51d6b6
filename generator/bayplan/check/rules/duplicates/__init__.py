"""Duplicates: the same program several times."""
