"""Sound files to samples, or a `MediaError`."""
