"""Sounds to fingerprints."""
