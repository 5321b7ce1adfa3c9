"""model_core."""
