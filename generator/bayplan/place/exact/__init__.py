"""The exact solver: one model, goal after goal, the same answer for the same input."""
