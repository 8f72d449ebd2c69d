"""Series of numbers of few decimals (counters, bytes, seconds, degrees) as JSON points, many at a time.

Every point has a slot of one width, filled by table four digits at once; what a shorter number leaves of its slot are
NUL bytes, and those are taken out in the end. That is several times faster than a number at a time, and the same text.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Mask

_LARGEST = 2.0**53
_PARTS = 10_000
_MOST_PARTS = 1e15
"""Numbers of up to four decimals are whole ones of these; fifteen digits tell a float from any other."""
_AT_ONCE = 1 << 15
"""Points laid out at once: a megabyte, which caches hold."""
_LEADING, _NOTHING = 10_000, 20_000
_CLOSE = np.frombuffer(b'"],\0', dtype=np.uint32)[0]
_CLOSE_SERIES = np.frombuffer(b'"]]}', dtype=np.uint32)[0]
_MINUS = np.frombuffer(b"-\0\0\0", dtype=np.uint32)[0]
_MOST_PADDING = 64
_CLOSE_LAST, _CLOSE_NONE = np.frombuffer(b'"]\n\0\n\0\0\0', dtype=np.uint32)
"""Rows are told apart by line feeds until they are parted, be there points or none."""


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
    for first, slots, last in _blocks(values, times, held):
        slots[np.arange(len(slots)), last, -1] = _CLOSE_SERIES
        whole = np.concatenate([names[first : first + len(slots)], slots.reshape(len(slots), -1)], axis=1)
        yield whole.tobytes().translate(None, b"\0")


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
    for _, slots, last in _blocks(values, times, held):
        rows = np.arange(len(slots))
        slots[rows, last, -1] = np.where(slots[rows, last, -1] == 0, _CLOSE_NONE, _CLOSE_LAST)
        *texts, _ = slots.tobytes().translate(None, b"\0").split(b"\n")
        yield from texts


def _blocks(
    values: Floats, times: Sequence[bytes], held: Mask | None
) -> Iterator[tuple[int, NDArray[np.uint32], NDArray[np.intp]]]:
    """Some rows each: the first, their slots, and the last point of each; what is not held leaves its slot empty."""
    heads = _heads(times)
    rows = max(_AT_ONCE // len(times), 1)
    for first in range(0, len(values), rows):
        part = values[first : first + rows]
        last = np.full(len(part), len(times) - 1, dtype=np.intp)
        if held is None:
            slots = _laid_out(part, heads)
        else:
            there = held[first : first + rows]
            slots = _laid_out(np.where(there, part, 0.0), heads)
            slots[~there] = 0
            last -= there[:, ::-1].argmax(axis=1)
        yield first, slots, last


def _heads(times: Sequence[bytes]) -> NDArray[np.uint32]:
    """What stands before each value, [S, words]."""
    opened = [b'[%b,"' % time for time in times]
    width = -(-max(map(len, opened)) // 4) * 4
    joined = b"".join(text.rjust(width, b"\0") for text in opened)
    return np.frombuffer(joined, dtype=np.uint32).reshape(len(times), -1)


def _laid_out(values: Floats, heads: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Slots [N, S, words]: what stands before a value, its sign and decimals where any has some, its end.

    The end is that of a point which others follow.
    """
    size = np.abs(values)
    whole = np.floor(size)
    signed, broken = bool((values < 0).any()), bool((whole != size).any())
    rest = whole.astype(np.uint64)
    largest = int(rest.max(initial=0))
    if largest < 1 << 32:
        rest = rest.astype(np.uint32)
    groups = max(-(-len(str(largest)) // 4), 1)
    first = heads.shape[1] + signed
    slots = np.empty((*values.shape, first + groups + 2 * broken + 1), dtype=np.uint32)
    slots[:, :, : heads.shape[1]] = heads
    slots[:, :, -1] = _CLOSE
    if signed:
        slots[:, :, first - 1] = np.where(values < 0, _MINUS, 0)
    if broken:
        parts = np.rint((size - whole) * _PARTS).astype(np.int32)
        slots[:, :, -3:-1] = _decimals()[parts]
    table = _digits()
    for group in reversed(range(groups)):
        above = rest // 10_000
        digits = (rest - above * 10_000).astype(np.int32)
        digits += np.where(above == 0, _LEADING, 0).astype(np.int32)
        if group < groups - 1:
            digits[rest == 0] = _NOTHING
        slots[:, :, first + group] = table[digits]
        rest = above
    return slots


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
