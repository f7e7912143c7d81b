"""Parts of the benchmarks of splits."""
