"""What can be said before solving: independent causes, each with its place, its sum and its remedy."""
