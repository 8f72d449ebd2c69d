"""Frames in memory, a log and sealed blocks in one SQLite file."""
