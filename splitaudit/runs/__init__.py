"""Runs on the disk, and what can be asked of them."""
