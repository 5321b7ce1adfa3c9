"""Sentences as vectors: how alike two are, and which lines of a list are nearest."""
