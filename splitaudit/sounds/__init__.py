"""Sounds: from files to matches."""
