"""Media: bytes to samples, or a `MediaError`, one file a modality."""
