"""Verifiers: what two media share, one file a modality."""
