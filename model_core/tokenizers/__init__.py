"""Text to token ids and back, with offsets into the text exactly as it was typed.

``load.load_tokenizer`` reads a checkpoint's folder; ``base.Tokenizer`` is all that the
rest of the core may know of what it returns.
"""
