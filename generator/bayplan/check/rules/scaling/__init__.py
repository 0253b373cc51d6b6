"""Scaling: triggers, ranges, and what stands in the way of a second copy."""
