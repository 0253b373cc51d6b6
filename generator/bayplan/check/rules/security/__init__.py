"""Security: what a container may do to its machine, and who may reach it."""
