"""What has to hold: policy lines, rules, bills and cards, and the problem that they make together."""
