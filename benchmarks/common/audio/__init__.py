"""Parts of the benchmarks of sounds."""
