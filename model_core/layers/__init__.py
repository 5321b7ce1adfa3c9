"""One layer per file; keras.ops only, so that every Keras backend runs them."""
