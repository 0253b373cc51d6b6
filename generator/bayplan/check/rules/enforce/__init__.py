"""Enforcement: lines that nothing holds."""
