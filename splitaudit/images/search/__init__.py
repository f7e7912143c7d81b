"""Which pairs of pictures to compare."""
