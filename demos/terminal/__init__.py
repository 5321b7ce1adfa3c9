"""``python -m demos``: one question at a time, or a file of them."""
