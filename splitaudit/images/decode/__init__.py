"""Picture files to pixels, or a `MediaError`."""
