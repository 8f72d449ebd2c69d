"""What the benchmarks share: servers to compare, and their cost read from /proc."""
