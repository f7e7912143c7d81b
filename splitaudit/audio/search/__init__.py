"""Which pairs of sounds to compare."""
