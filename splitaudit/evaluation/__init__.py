"""Retrieval scores, ties and faults counted honestly, and the audit of what computes them."""
