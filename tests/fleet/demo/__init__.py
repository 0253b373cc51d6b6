"""The whole story of a fleet on real nodes, at a sixteenth of its size: `python -m demo --fleet bev`."""
