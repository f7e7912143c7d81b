"""Search: codes to candidate pairs, one file a metric."""
