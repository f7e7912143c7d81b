"""Pictures to fingerprints, one file each."""
