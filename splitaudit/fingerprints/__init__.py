"""Fingerprints: a medium to codes, one file each."""
