"""A sketch of a distribution: a base-2 exponential histogram of scale 5."""

from __future__ import annotations

import math
import sys
from bisect import bisect_left, bisect_right
from typing import Any

SCALE = 5
"""Buckets are a factor of 2^(1/32) wide, so a bucket's middle is at most 1.1 % away from any value in it."""
_PER_OCTAVE = 1 << SCALE
_MANTISSAS = [2.0 ** (k / _PER_OCTAVE - 1) for k in range(_PER_OCTAVE + 1)]
_PIECE = 8192
"""How many values are folded in one go: other threads get their turn between two pieces."""
_WORTH_NUMPY = 256


def bucket_of(value: float) -> tuple[int, float]:
    """The bucket of a positive finite value: OTLP's index i, with (2^(i/32), 2^((i+1)/32)], and its upper bound."""
    mantissa, exponent = math.frexp(value)
    place = bisect_left(_MANTISSAS, mantissa)
    index = (exponent - 1) * _PER_OCTAVE + place - 1
    if exponent == sys.float_info.max_exp and place == _PER_OCTAVE:
        return index, math.inf
    return index, math.ldexp(_MANTISSAS[place], exponent)


class Sketch:
    """Counts by bucket; sketches of the same values are the same, in whatever pieces and order they came.

    Attributes:
        count: How many values.
        sum: Of the values.
        zero_count: How many were zero.
        minimum: The least value; inf where there is none.
        maximum: The greatest value; -inf where there is none.
        positive: How many by OTLP bucket index.
        negative: How many by OTLP bucket index of the absolute value.
    """

    __slots__ = ("count", "maximum", "minimum", "negative", "positive", "sum", "zero_count")

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.zero_count = 0
        self.minimum = math.inf
        self.maximum = -math.inf
        self.positive: dict[int, int] = {}
        self.negative: dict[int, int] = {}

    def add(self, values: list[Any]) -> int:
        """Fold values in; returns how many were no finite numbers, and so are not in it."""
        dropped = 0
        for start in range(0, len(values), _PIECE):
            piece, total = finite(values[start : start + _PIECE])
            dropped += min(_PIECE, len(values) - start) - len(piece)
            if piece:
                self._add_piece(piece, total)
        return dropped

    def _add_piece(self, piece: list[float], total: float) -> None:
        numpy = _loaded_numpy() if len(piece) >= _WORTH_NUMPY else None
        if numpy is None:
            low, high = self._add_sorted(sorted(piece))
        else:
            low, high = self._add_array(numpy.array(piece, dtype=numpy.float64), numpy)
        self.count += len(piece)
        self.sum += total
        self.minimum = min(self.minimum, low)
        self.maximum = max(self.maximum, high)

    def _add_sorted(self, ordered: list[float]) -> tuple[float, float]:
        below, above = bisect_left(ordered, 0.0), bisect_right(ordered, 0.0)
        self.zero_count += above - below
        _count_sorted(ordered, above, self.positive)
        if below:
            _count_sorted([-value for value in reversed(ordered[:below])], 0, self.negative)
        return float(ordered[0]), float(ordered[-1])

    def _add_array(self, values: Any, numpy: Any) -> tuple[float, float]:
        low, high = float(values.min()), float(values.max())
        if low > 0:
            _count_array(values, self.positive, numpy)
        else:
            self.zero_count += int(numpy.count_nonzero(values == 0))
            _count_array(values[values > 0], self.positive, numpy)
            _count_array(-values[values < 0], self.negative, numpy)
        return low, high


def finite(values: list[Any]) -> tuple[list[float], float]:
    """The finite numbers among the values, and their sum; fast where all of them are."""
    try:
        total = sum(values)
        if type(total) in (int, float) and math.isfinite(total):
            return values, float(total)
    except (TypeError, ValueError, OverflowError):
        pass
    kept = [number for number in map(_number, values) if math.isfinite(number)]
    return kept, sum(kept, 0.0)


def _number(value: object) -> float:
    """The value as a float; NaN where it is none (a text is none, even one that reads like a number)."""
    if not hasattr(value, "__float__"):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _count_sorted(ordered: list[float], at: int, counts: dict[int, int]) -> None:
    """Count rising positive values, one search a bucket: sorting is the only work done for every value."""
    while at < len(ordered):
        index, upper = bucket_of(ordered[at])
        end = bisect_right(ordered, upper, at)
        counts[index] = counts.get(index, 0) + end - at
        at = end


def _count_array(values: Any, counts: dict[int, int], numpy: Any) -> None:
    if not len(values):
        return
    mantissas, exponents = numpy.frexp(values)
    indices = exponents * _PER_OCTAVE + numpy.ceil(numpy.log2(mantissas) * _PER_OCTAVE).astype(numpy.int64) - 1
    lowest = int(indices.min())
    bins = numpy.bincount(indices - lowest)
    filled = numpy.flatnonzero(bins)
    for index, count in zip((filled + lowest).tolist(), bins[filled].tolist(), strict=True):
        counts[index] = counts.get(index, 0) + count


def _loaded_numpy() -> Any:
    """The numpy that the application has loaded already.

    Loading it here would cost a small application 20 MB, and a fork during the import would leave half a numpy.
    """
    numpy = sys.modules.get("numpy")
    loading = getattr(getattr(numpy, "__spec__", None), "_initializing", False)
    return numpy if hasattr(numpy, "bincount") and not loading else None
