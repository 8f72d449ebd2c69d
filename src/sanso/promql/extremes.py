"""The least or greatest of every window at once.

A window is two runs of segments, possibly overlapping, whose lengths are a power of two.
"""

from __future__ import annotations

import numpy as np

from sanso.model.frame import Floats, is_whole
from sanso.promql.row_blocks import row_blocks
from sanso.promql.segments import Places, Segments

_PLAIN: dict[np.ufunc, np.ufunc] = {np.fmax: np.maximum, np.fmin: np.minimum}
"""The same where there is no NaN to pass over, and faster."""


def window_extremes(reduce: np.ufunc, values: Floats, first: Places, last: Places) -> Floats:
    """`fmin` or `fmax` of values[:, first[i]:last[i]] for every i; anything where that is nothing.

    Args:
        reduce: `numpy.fmin` or `numpy.fmax`.
        values: Shape [R, T], T > 0.
        first: Where windows begin, shape [W].
        last: One past their ends.

    Returns:
        Shape [R, W].
    """
    segments = Segments.of(first, last)
    if len(segments.edges) < 2:
        return np.zeros((len(values), len(first)))
    begin, count = segments.begin, np.maximum(segments.count, 1)
    level = np.floor(np.log2(count)).astype(np.intp)
    second = np.maximum(begin + count - (1 << level), begin)
    out = np.empty((len(values), len(first)))
    for block in row_blocks(values):
        part = np.ascontiguousarray(values[block].T)
        best = _PLAIN[reduce] if is_whole(part) else reduce
        with np.errstate(invalid="ignore"):
            runs = _runs(best, part, segments, int(level.max()))
            found = best(runs[level, begin], runs[level, second])
        out[block] = found.T
    return out


def _runs(best: np.ufunc, values: Floats, segments: Segments, levels: int) -> Floats:
    """Extremes of 1, 2, 4 … segments from each segment on: [levels + 1, segments, R]."""
    runs = np.empty((levels + 1, len(segments.edges) - 1, values.shape[1]))
    runs[0] = segments.reduced(best, values)
    for level in range(1, levels + 1):
        reach = 1 << (level - 1)
        runs[level] = runs[level - 1]
        best(runs[level - 1, :-reach], runs[level - 1, reach:], out=runs[level, :-reach])
    return runs
