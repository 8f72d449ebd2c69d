"""A small real workload to look at."""
