"""Items that must stay on one side of a split."""
