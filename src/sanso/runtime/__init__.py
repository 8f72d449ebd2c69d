"""The loops: sample, commit, evaluate, notify; and what puts them together."""
