"""Windows as runs of segments: between two neighbouring edges of windows lies a segment that no window cuts.

So each sample is looked at once, for its segment, however much the windows overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Segments:
    """The segments of windows.

    Attributes:
        edges: Where segments begin, and where the last ends, shape [M + 1].
        begin: The first segment of each window, shape [W]; any where the window is empty.
        count: How many it has.
    """

    edges: Places
    begin: Places
    count: Places

    @classmethod
    def of(cls, first: Places, last: Places) -> Segments:
        """Of windows that begin at `first` and end before `last`, shape [W]."""
        edges = np.unique(np.concatenate([first, last]))
        begin = np.searchsorted(edges, first)
        count = np.searchsorted(edges, last) - begin
        return cls(edges, np.minimum(begin, max(len(edges) - 2, 0)), count)

    def reduced(self, reduce: np.ufunc, values: Floats) -> Floats:
        """Each segment of values [T, R] made one row: [M, R]. Most are of one length, and those are done together."""
        lengths = np.diff(self.edges)
        out = np.empty((len(lengths), values.shape[1]))
        for length in np.unique(lengths).tolist():
            places = np.flatnonzero(lengths == length)
            first, last = int(places[0]), int(places[-1]) + 1
            if last - first == len(places):
                alike = values[self.edges[first] : self.edges[last]].reshape(len(places), length, -1)
                reduce.reduce(alike, axis=1, out=out[first:last])
            else:
                out[places] = reduce.reduce(values[self.edges[places][:, None] + np.arange(length)], axis=1)
        return out
