"""What the benchmarks share; of one subject, in the folder of its name."""
