"""Capacity: sums of what is asked against what is there."""
