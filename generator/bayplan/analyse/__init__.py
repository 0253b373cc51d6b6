"""What is asked of each node, and what is there."""
