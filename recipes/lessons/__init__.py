"""The plays as lessons: examples to arrays on disk, arrays to endless batches."""
