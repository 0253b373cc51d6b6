"""Volumes: who may write, and on which disk."""
