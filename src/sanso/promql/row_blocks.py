"""Rows of a matrix in blocks that stay in the processor's cache from one operation to the next."""

from __future__ import annotations

from collections.abc import Iterator

from sanso.model.frame import Floats

_CELLS = 1 << 17


def row_blocks(values: Floats) -> Iterator[slice]:
    """All rows of values [R, T], a few hundred kilobytes at a time."""
    rows, length = values.shape
    block = max(1, _CELLS // max(length, 1))
    for start in range(0, rows, block):
        yield slice(start, min(start + block, rows))
