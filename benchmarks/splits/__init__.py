"""Questions about splits, keys and captions."""
