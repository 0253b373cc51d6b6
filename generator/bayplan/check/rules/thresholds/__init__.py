"""Thresholds: alerts, bands, scalers, bursts and forecasts against each other and against what is planned."""
