"""Continue a text in a chosen style."""
