"""Classify by filling a blank, at once or after a few examples (PET)."""
