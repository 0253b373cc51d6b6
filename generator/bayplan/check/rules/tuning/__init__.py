"""Tuning: what applications are told about memory, against what their containers may have."""
