"""Series of numbers of any kind as JSON points, many rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress

import numpy as np

from sanso.model.frame import Floats, Mask
from sanso.web.number_text import numbers, unusual

_AT_ONCE = 1 << 13
"""Points written at once: what is made for them stays in the caches."""
_CLOSE = b'"]\n'
"""Rows are told apart by line feeds until they are parted."""


def points(values: Floats, times: Sequence[bytes], held: Mask | None = None) -> Iterator[bytes]:
    """`[time,"value"],…` of each row.

    Args:
        values: Shape [N, S], contiguous.
        times: As they are written, length S.
        held: Where there are points; None for everywhere.
    """
    rows = max(_AT_ONCE // max(len(times), 1), 1)
    opening = [b'"],[%b,"' % time for time in times]
    for first in range(0, len(values), rows):
        part = values[first : first + rows]
        there = None if held is None else held[first : first + rows]
        yield from _written(part, opening, there)


def _written(values: Floats, opening: Sequence[bytes], held: Mask | None) -> Iterator[bytes]:
    """Rows of some points: each value between what opens its point, which closes the one before, and the next."""
    before = [*opening] * len(values)
    if held is None:
        counts, cells = np.full(len(values), len(opening)), values.ravel()
    else:
        counts, cells = held.sum(axis=1), values[held]
        before = list(compress(before, held.ravel().tolist()))
    firsts = (np.cumsum(counts) - counts)[counts > 0].tolist()
    for place in firsts:
        before[place] = _CLOSE + before[place][3:]  # a row begins
    odd = unusual(cells)
    parts = [b'"]'] * (2 * len(before) + 1)
    parts[0:-1:2] = before
    parts[1::2] = numbers(cells, odd if odd.any() else None)
    texts = iter(b"".join(parts)[len(_CLOSE) :].split(b"\n"))
    for count in counts.tolist():
        yield next(texts) if count else b""
