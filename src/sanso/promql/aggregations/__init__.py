"""Aggregations: series grouped by labels, each group made one (or some of it kept), one family a file."""
