"""Summarise a text: extract its clauses, then rewrite them."""
