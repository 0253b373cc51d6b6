"""Pinning: which cores are named, and who runs on them."""
