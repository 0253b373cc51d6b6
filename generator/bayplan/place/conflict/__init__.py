"""Why it cannot hold, and the cheapest ways out."""
