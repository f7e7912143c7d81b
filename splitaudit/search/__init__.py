"""Search that knows no medium: nearest vectors, Hamming joins."""
