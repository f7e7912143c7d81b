"""Benchmarks: one script a question, by subject; see README.md."""
