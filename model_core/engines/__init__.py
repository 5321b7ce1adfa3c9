"""How a model runs: every engine answers the same questions with the same numbers."""
