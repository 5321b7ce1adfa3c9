"""Triples: who stands in which relation to what, with the places in the text."""
