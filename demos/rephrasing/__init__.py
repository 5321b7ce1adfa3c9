"""Sentences that say the same in other words, written and ranked by one network."""
