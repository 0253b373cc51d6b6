"""Findings as other programs read them: annotations, a comment on a pull request, SARIF."""
