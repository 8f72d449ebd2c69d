"""Series of numbers of few decimals (counters, bytes, seconds, degrees) as JSON points, many at a time.

Every point has a slot of one width, filled by table four digits at once; what a shorter number leaves of its slot are
NUL bytes, and those are taken out in the end. That is several times faster than a number at a time, and the same text.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Mask

_LARGEST = 2.0**53
_PARTS = 10_000
_MOST_PARTS = 1e15
"""Numbers of up to four decimals are whole ones of these; fifteen digits tell a float from any other."""
_AT_ONCE = 1 << 15
"""Points laid out at once: a megabyte, which caches hold."""
_CLOSE_SERIES, _CLOSE, _CLOSE_NONE = np.frombuffer(b'"]]}"]\n\0\n\0\0\0', dtype=np.uint32)
"""Rows are told apart by line feeds until they are parted, be there points or none."""
_MINUS = np.frombuffer(b"-\0\0\0", dtype=np.uint32)[0]
_MOST_PADDING = 64
_GROUP = 10_000
_LEADING, _NOTHING = _GROUP, 2 * _GROUP


def countable(values: Floats, held: Mask | None = None) -> Mask:
    """Which rows of [N, S] hold nothing but numbers of at most four decimals that are not too large.

    Where `held` is given and not set there is no number.
    """
    if held is not None:
        values = np.where(held, values, 0.0)
    size = np.abs(values)
    with np.errstate(invalid="ignore", over="ignore"):
        whole = (size < _LARGEST) & (np.floor(size) == size)
        if not whole.all():
            # A number of so few digits is the nearest to its decimals, so that they are its shortest text.
            parts = size * _PARTS
            whole |= (parts < _MOST_PARTS) & (np.rint(parts) / _PARTS == size)
    whole &= ~(np.signbit(values) & (values == 0))
    return np.asarray(whole.all(axis=1))


def padded(texts: Sequence[bytes]) -> NDArray[np.uint32] | None:
    """Texts as rows of one width, NUL bytes before them, [N, words]; None where one is much longer than the rest."""
    longest = max(map(len, texts), default=0)
    width = -(-longest // 4) * 4
    if not texts or longest > _MOST_PADDING + 2 * sum(map(len, texts)) / len(texts):
        return None
    joined = b"".join(text.rjust(width, b"\0") for text in texts)
    return np.frombuffer(joined, dtype=np.uint32).reshape(len(texts), -1)


def series(
    values: Floats, times: Sequence[bytes], names: NDArray[np.uint32], held: Mask | None = None
) -> Iterator[bytes]:
    """Whole series, several at a time: each its name, its points, and the end of both lists.

    Args:
        values: Rows that are `countable`, shape [N, S]; S is at least 1.
        times: As they are written, length S.
        names: What stands before the points of each, as `padded` gives it.
        held: Where there are points, as many as one in each row; None for everywhere.
    """
    for rows in _blocks(values, times, held, names):
        rows[:, -1] = _CLOSE_SERIES
        yield rows.tobytes().translate(None, b"\0")


def points(values: Floats, times: Sequence[bytes], held: Mask | None = None) -> Iterator[bytes]:
    """`[time,"value"],…` of each row.

    Args:
        values: Rows that are `countable`, shape [N, S].
        times: As they are written, length S.
        held: Where there are points; None for everywhere.
    """
    if not len(times):
        yield from (b"" for _ in values)
        return
    for rows in _blocks(values, times, held, np.empty((len(values), 0), dtype=np.uint32)):
        rows[:, -1] = np.where(rows[:, -1] == 0, _CLOSE_NONE, _CLOSE)
        *texts, _ = rows.tobytes().translate(None, b"\0").split(b"\n")
        yield from texts


def _blocks(
    values: Floats, times: Sequence[bytes], held: Mask | None, names: NDArray[np.uint32]
) -> Iterator[NDArray[np.uint32]]:
    """Some rows each: names, a slot a point, and a word for the end, 0 where there is no point."""
    openings, between = _padded_heads(times)
    some = max(_AT_ONCE // len(times), 1)
    for first in range(0, len(values), some):
        block = slice(first, first + some)
        there = None if held is None else held[block]
        figures = _Figures(values[block] if there is None else np.where(there, values[block], 0.0))
        width = between.shape[1] + figures.width
        whole = np.empty((len(figures.size), names.shape[1] + len(times) * width + 1), dtype=np.uint32)
        whole[:, : names.shape[1]] = names[first : first + len(whole)]
        whole[:, -1] = 1 if there is None else there.any(axis=1)
        template = np.zeros((len(times), width), dtype=np.uint32)  # copied row by row, which is faster than by points
        template[:, : between.shape[1]] = between
        template[0, : between.shape[1]] = openings[0]
        whole[:, names.shape[1] : -1] = template.ravel()
        slots = whole[:, names.shape[1] : -1].reshape(len(whole), len(times), width)  # a view
        figures.write(slots[:, :, between.shape[1] :])
        if there is not None:
            slots[~there] = 0
            rows = np.flatnonzero(whole[:, -1])
            begins = there[rows].argmax(axis=1)
            slots[rows, begins, : between.shape[1]] = openings[begins]
        yield whole


def _padded_heads(times: Sequence[bytes]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """What stands before the first value of a row, and what between others: [S, words] each, of one width."""
    between = [b'"],[%b,"' % time for time in times]
    width = -(-max(map(len, between)) // 4) * 4
    openings = [text[3:] for text in between]
    first, others = (b"".join(text.rjust(width, b"\0") for text in texts) for texts in (openings, between))
    return (
        np.frombuffer(first, dtype=np.uint32).reshape(len(times), -1),
        np.frombuffer(others, dtype=np.uint32).reshape(len(times), -1),
    )


class _Figures:
    """Numbers about to be written, all in as many words: a sign where any has one, four digits a word, decimals.

    Args:
        values: Shape [N, S].

    Attributes:
        size: Without their signs, [N, S].
        width: How many words one takes.
    """

    def __init__(self, values: Floats) -> None:
        self._values = values
        self.size = np.abs(values)
        self._whole = np.floor(self.size)
        self._signed = int((values < 0).any())
        self._broken = bool((self._whole != self.size).any())
        largest = int(self._whole.max(initial=0))
        self._rest: NDArray[Any] = self._whole.astype(np.uint32 if largest < 1 << 32 else np.uint64)
        self._groups = max(-(-len(str(largest)) // 4), 1)
        self.width = self._signed + self._groups + 2 * self._broken

    def write(self, words: NDArray[np.uint32]) -> None:
        """Into [N, S, width]."""
        if self._signed:
            words[:, :, 0] = np.where(self._values < 0, _MINUS, 0)
        if self._broken:
            parts = np.rint((self.size - self._whole) * _PARTS).astype(np.int32)
            words[:, :, -2:] = _decimals()[parts]
        table, rest = _digits(), self._rest
        for group in range(self._groups - 1, 0, -1):
            above = rest // _GROUP
            digits = rest - above * _GROUP
            digits += np.multiply(above == 0, _LEADING, dtype=rest.dtype)
            if group < self._groups - 1:
                digits[rest == 0] = _NOTHING
            words[:, :, self._signed + group] = table[digits]
            rest = above
        words[:, :, self._signed] = (_digits_on_top() if self._groups > 1 else table[_LEADING:])[rest]


@functools.cache
def _decimals() -> NDArray[np.uint32]:
    """What stands behind the whole part, [10,000, 2]: nothing, `.5`, `.0625`."""
    texts = [b".%04d" % number for number in range(_PARTS)]
    joined = b"".join(text.rstrip(b"0").removesuffix(b".").ljust(8, b"\0") for text in texts)
    return np.frombuffer(joined, dtype=np.uint32).reshape(_PARTS, 2)


@functools.cache
def _digits() -> NDArray[np.uint32]:
    """Four digits as one word: with leading zeros, with NUL bytes in their stead, and nothing at all."""
    whole = b"".join(b"%04d" % number for number in range(10_000))
    leading = b"".join((b"%d" % number).rjust(4, b"\0") for number in range(10_000))
    return np.frombuffer(whole + leading + bytes(4), dtype=np.uint32)


@functools.cache
def _digits_on_top() -> NDArray[np.uint32]:
    """The digits before which there are none, and none of zero."""
    digits = _digits()[_LEADING:_NOTHING].copy()
    digits[0] = 0
    return digits
