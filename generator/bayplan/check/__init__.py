"""Rules over the fleet and its ledgers: what is claimed, and what is true."""
