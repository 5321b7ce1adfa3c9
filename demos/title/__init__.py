"""Write headlines for an article."""
