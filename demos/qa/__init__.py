"""Answer a question, from passages or from a base of facts."""
