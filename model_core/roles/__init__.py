"""The parts a loaded model plays: text in, tokens, engine, decoding, text out."""
