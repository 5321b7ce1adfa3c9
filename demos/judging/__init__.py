"""What fine-tuned weights say of a text: its class, or which tokens were replaced."""
