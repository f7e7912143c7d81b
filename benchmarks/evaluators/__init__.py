"""Questions about evaluators and metrics."""
