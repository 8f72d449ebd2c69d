"""The least or greatest of every window at once, however much the windows overlap.

Between two neighbouring edges of windows lies a segment that no window cuts. So each sample is looked at once, for its
segment; and a window is two runs of segments, possibly overlapping, whose lengths are a power of two.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats
from sanso.promql.blocks import row_blocks

Places = NDArray[np.intp]

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
    rows = len(values)
    edges = np.unique(np.concatenate([first, last]))
    if len(edges) < 2:
        return np.zeros((rows, len(first)))
    begin = np.searchsorted(edges, first)
    count = np.maximum(np.searchsorted(edges, last) - begin, 1)
    begin = np.minimum(begin, len(edges) - 2)
    level = np.floor(np.log2(count)).astype(np.intp)
    second = np.maximum(begin + count - (1 << level), begin)
    out = np.empty((rows, len(first)))
    for block in row_blocks(values):
        part = np.ascontiguousarray(values[block].T)
        best = reduce if np.isnan(part).any() else _PLAIN[reduce]
        with np.errstate(invalid="ignore"):
            runs = _runs(best, part, edges, int(level.max()))
            found = best(runs[level, begin], runs[level, second])
        out[block] = found.T
    return out


def _runs(best: np.ufunc, values: Floats, edges: Places, levels: int) -> Floats:
    """Extremes of 1, 2, 4 … segments from each segment on: [levels + 1, segments, R]."""
    rows = values.shape[1]
    runs = np.empty((levels + 1, len(edges) - 1, rows))
    place, start = 0, int(edges[0])
    for length, alike in itertools.groupby(np.diff(edges).tolist()):  # most are alike: all of them in one go
        count = len(list(alike))
        end = start + count * length
        segments = values[start:end].reshape(count, length, rows)
        best.reduce(segments, axis=1, out=runs[0, place : place + count])
        place, start = place + count, end
    for level in range(1, levels + 1):
        reach = 1 << (level - 1)
        runs[level] = runs[level - 1]
        best(runs[level - 1, :-reach], runs[level - 1, reach:], out=runs[level, :-reach])
    return runs
