"""A scan: the stages of every medium in order, and what became of each file."""
