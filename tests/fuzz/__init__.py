"""Everything that reads foreign bytes, run on bytes that nobody meant: `python -m tests.fuzz TARGET SECONDS`."""
