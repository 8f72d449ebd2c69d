"""Windows of one length side by side, a piece at a time: for what has to look at every sample of every window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.promql.functions.registry import Call
from sanso.promql.values import Window

Places: TypeAlias = NDArray[np.intp]

_PIECE = 1 << 20
"""So many samples at once: windows overlap, and all of them side by side may be far more than there are."""


def pieces(window: Window, call: Call, least: int = 1) -> Iterator[tuple[Places, Places]]:
    """Every window that is long enough.

    Args:
        window: Of N series.
        call: Asked before each piece whether there is time.
        least: How many samples a window must have.

    Yields:
        Steps, shape [M], and for each where its window's samples are, shape [M, t].

    Raises:
        QueryError: The time is up.
    """
    lengths = window.last - window.first
    series = len(window.values)
    for length in np.unique(lengths[lengths >= least]).tolist() if series else ():
        steps = np.flatnonzero(lengths == length)
        at_once = max(_PIECE // (length * series), 1)
        for begin in range(0, len(steps), at_once):
            call.check()
            some = steps[begin : begin + at_once]
            yield some, window.first[some][:, None] + np.arange(length)
