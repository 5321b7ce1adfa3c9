"""One Transformer, its heads, and the families as values of its config."""
