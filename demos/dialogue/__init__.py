"""Hold a conversation, turn by turn."""
