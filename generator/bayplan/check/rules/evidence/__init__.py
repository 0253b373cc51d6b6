"""Evidence: what numbers rest on, and reasons."""
