"""Classic buckets from a sketch, for scrapers that do not know exponential histograms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from sanso.sdk.sketch import SCALE, Sketch

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120)
_BYTES = tuple(4.0**power for power in range(4, 18))
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
_COUNTS = tuple(factor * 10.0**power for power in range(6) for factor in (1, 2, 5))
_BY_ENDING = {"_seconds": _SECONDS, "_bytes": _BYTES, "_ratio": _SHARES, "_score": _SHARES}


class Buckets:
    """The bounds of every histogram: the same in every process, so that buckets add up.

    Args:
        given: Bounds by metric name; where there are none, the ending of the name decides.

    Raises:
        ValueError: Bounds are not positive and rising.
    """

    def __init__(self, given: Mapping[str, Sequence[float]] | None = None) -> None:
        self._given = {name: tuple(map(float, bounds)) for name, bounds in (given or {}).items()}
        for name, bounds in self._given.items():
            rising = all(low < high for low, high in pairwise(bounds))
            if not rising or not all(0 < bound < math.inf for bound in bounds):
                raise ValueError(f"the bounds of {name} must be positive and rise: {bounds}")

    def of(self, name: str) -> tuple[float, ...]:
        """The bounds of a histogram, without infinity."""
        given = self._given.get(name)
        if given is not None:
            return given
        return next((bounds for ending, bounds in _BY_ENDING.items() if name.endswith(ending)), _COUNTS)


def cumulative(sketch: Sketch, bounds: tuple[float, ...]) -> list[int]:
    """How many values are at most each bound.

    A bound is taken where the sketch has its nearest one, at most 1.1 % away (a power of two: exactly there), so a
    value that close to a bound may be counted on its other side.
    """
    filled = sorted(sketch.positive.items())
    counts, place = [], 0
    below = sketch.zero_count + sum(sketch.negative.values())
    for first_above in _first_above(bounds):
        while place < len(filled) and filled[place][0] < first_above:
            below += filled[place][1]
            place += 1
        counts.append(below)
    return counts


@lru_cache(maxsize=256)
def _first_above(bounds: tuple[float, ...]) -> list[int]:
    """Of each bound, the first of the sketch's buckets that lies above it."""
    return [round(math.log2(bound) * (1 << SCALE)) for bound in bounds]
