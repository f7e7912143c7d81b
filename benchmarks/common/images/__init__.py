"""Parts of the benchmarks of pictures."""
