"""Questions about sounds."""
