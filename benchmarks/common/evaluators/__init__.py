"""Parts of the benchmarks of evaluators."""
