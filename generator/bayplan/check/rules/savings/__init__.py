"""Savings: totals and their parts, and targets that no change serves."""
