"""Rollout: what a change needs so that it can be gone back from."""
