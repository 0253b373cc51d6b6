"""GPU: what is asked of cards, against the cards that there are."""
