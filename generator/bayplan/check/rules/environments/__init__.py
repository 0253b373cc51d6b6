"""Environments: what their factors make of the numbers."""
