"""Sounds: decoded, fingerprinted, searched, verified."""
