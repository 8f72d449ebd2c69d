"""Sealed blocks: the columns of many rows, each in its cheapest form. Pure bytes in, bytes out.

A block is a timeline, an index and, for each series, a chunk: one kind byte and what the kind says. A constant is its
8 bytes (or one, for a small whole number); a column that another one equals is that one's place; one that moves as
another does is the difference to it; else it is pcodec's stream, of int64 where every value is a whole number or a
decimal fraction with few digits, and of float64 where not. pcodec keeps every bit, so the three NaN stay distinct.
Chunks lie one after the other in pieces of about `PIECE_BYTES`, cut where a column ends, so that one column of a long
block is found without reading all of it.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

from sanso.model.errors import StoreError
from sanso.model.frame import Floats, Times, is_absent
from sanso.store.pace import Pace
from sanso.store.related import FEWEST_ROWS, Related

PIECE_BYTES = 1 << 15
_CONSTANT, _FLOATS, _WHOLES, _SMALL, _DECIMALS, _SAME, _DIFFERENCE = (bytes([kind]) for kind in range(7))
_MOST_WHOLE, _MOST_DECIMAL = 2.0**62, 2.0**53
_MOST_EXACT = 2.0**51
"""Below that a product's error is less than half, and rounds away."""
_MOST_DIGITS = 9
_FIRST_ROOM, _MOST_ROOM = 1 << 14, 1 << 26
_CONFIG = ChunkConfig()
_QUICK = ChunkConfig(compression_level=4)
"""Half the time for a few bytes more, until blocks are merged into longer ones and packed anew."""
_STREAMS = {_FLOATS: 1, _WHOLES: 1, _DECIMALS: 2, _DIFFERENCE: 6}
"""Where the stream of a chunk begins, by kind."""
Begins: TypeAlias = Mapping[bytes, bytes]
_DAMAGED = "a block's column is damaged: restore a backup"
_Numbers = TypeVar("_Numbers", Floats, Times)


@dataclass(frozen=True)
class Block:
    """A sealed block.

    Attributes:
        timeline: The compressed times.
        index: The series numbers and the length of each chunk.
        pieces: All chunks, one after the other.
        rows: How many rows it has.
        columns: How many columns it has.
    """

    timeline: bytes
    index: bytes
    pieces: list[bytes]
    rows: int
    columns: int


def encode(times: Times, series: Sequence[int], values: Iterable[Floats], pace: Pace | None = None) -> Block:
    """Seal rows; a series without a sample in them is left out.

    Args:
        times: Milliseconds, strictly rising, shape [T].
        series: Series numbers, length N.
        values: N columns, each contiguous and of shape [T].
        pace: How fast.
    """
    pace = pace or Pace()
    held: list[int] = []

    def columns() -> Iterator[Floats]:
        for line, column in enumerate(values):
            if not is_absent(column[-1:])[0] or not is_absent(column).all():
                held.append(line)
                yield column

    chunks = _chunks(len(times), pace.over(columns()), _QUICK)
    return as_block(_packed(times), [series[line] for line in held], chunks, len(times))


def sealed(times: Times, series: Sequence[int], columns: Iterable[Floats], config: ChunkConfig = _CONFIG) -> Block:
    """A block of columns that come one at a time, each contiguous and of shape [T]."""
    return as_block(_packed(times), series, _chunks(len(times), columns, config), len(times))


def _chunks(rows: int, columns: Iterable[Floats], config: ChunkConfig) -> list[bytes]:
    chunks: list[bytes] = []
    known: dict[bytes, int] = {}
    related = Related(rows) if rows >= FEWEST_ROWS else None
    for place, column in enumerate(columns):
        chunk = _chunk(column, config)
        if chunk in known:
            chunk = _SAME + struct.pack("<I", known[chunk])
        elif len(chunk) > 5:
            known[chunk] = place
            if related is not None and chunk[:1] in (_WHOLES, _DECIMALS):
                chunk = _told_by_another(chunk, chunks, related, rows)
        chunks.append(chunk)
    return chunks


def as_block(timeline: bytes, series: Sequence[int], chunks: Sequence[bytes], rows: int) -> Block:
    """A block of a compressed timeline and chunks as they are."""
    begins = {kind: _common([chunk[at:] for chunk in chunks if chunk[:1] == kind]) for kind, at in _STREAMS.items()}
    chunks = [_without(chunk, begins) for chunk in chunks]
    lengths = np.array([len(chunk) for chunk in chunks], dtype=np.int64)
    numbers = _packed(np.asarray(series, dtype=np.int64))
    heads = b"".join(bytes([len(begins[kind])]) + begins[kind] for kind in _STREAMS)
    index = struct.pack("<I", len(numbers)) + numbers + heads + _packed(lengths)
    cuts = piece_starts(_ends(lengths))
    pieces = (
        [b"".join(chunks[start:end]) for start, end in zip(cuts, [*cuts[1:], len(chunks)], strict=True)] if cuts else []
    )
    return Block(timeline, index, pieces, rows, len(chunks))


def decode_times(timeline: bytes) -> Times:
    """The times of a block.

    Raises:
        StoreError: They are damaged.
    """
    try:
        return _unpacked(timeline)
    except RuntimeError as error:
        raise StoreError("a block's times are damaged: restore a backup") from error


def decode_index(index: bytes) -> tuple[Times, Times, Begins]:
    """Series numbers; where each chunk begins and ends; how streams of each kind begin: N and N + 1 of the first two.

    Raises:
        StoreError: The index is damaged.
    """
    try:
        (size,) = struct.unpack_from("<I", index)
        series, at = _unpacked(index[4 : 4 + size]), 4 + size
        begins = {}
        for kind in _STREAMS:
            begins[kind] = index[at + 1 : at + 1 + index[at]]
            at += 1 + index[at]
        lengths = _unpacked(index[at:])
    except (struct.error, RuntimeError, IndexError) as error:
        raise StoreError("a block's index is damaged: restore a backup") from error
    if len(series) != len(lengths) or (lengths <= 0).any():
        raise StoreError("a block's index is damaged: restore a backup")
    return series, _ends(lengths), begins


def whole_chunk(chunk: bytes, begins: Begins) -> bytes:
    """A chunk with how its stream begins, which all of its kind have in common and the index says once."""
    at = _STREAMS.get(chunk[:1])
    return chunk if at is None else chunk[:at] + begins[chunk[:1]] + chunk[at:]


def piece_starts(ends: Times) -> list[int]:
    """The first column of each piece: one ends with the column that makes it long enough."""
    starts: list[int] = []
    column, columns = 0, len(ends) - 1
    while column < columns:
        starts.append(column)
        column = int(ends.searchsorted(ends[column] + PIECE_BYTES))
    return starts


def other_of(chunk: bytes) -> int | None:
    """The place of the column without which this chunk cannot be read; None where it can."""
    if (chunk[:1] == _SAME and len(chunk) == 5) or (chunk[:1] == _DIFFERENCE and len(chunk) > 6):
        return int(struct.unpack_from("<I", chunk, 1)[0])
    return None


def decode_with(chunk: bytes, other: bytes, rows: int) -> Floats:
    """The values of one series whose chunk needs another one.

    Raises:
        StoreError: A chunk is damaged.
    """
    if chunk[:1] == _SAME:
        return decode_chunk(other, rows)
    digits, whole = _wholes(other, rows)
    difference = _ints(chunk[6:], rows)
    return _divided(difference + whole if chunk[5] else difference - whole, digits)


def decode_chunk(chunk: bytes, rows: int) -> Floats:
    """The values of one series, shape [rows].

    Raises:
        StoreError: The chunk is damaged.
    """
    kind = chunk[:1]
    if kind == _CONSTANT and len(chunk) == 9:
        return np.full(rows, np.frombuffer(chunk, dtype=np.uint64, offset=1)[0], dtype=np.uint64).view(np.float64)
    if kind == _SMALL and len(chunk) == 2:
        return np.full(rows, float(np.frombuffer(chunk, dtype=np.int8, offset=1)[0]))
    if kind == _FLOATS:
        return _filled(chunk[1:], np.empty(rows, dtype=np.float64))
    digits, whole = _wholes(chunk, rows)
    return _divided(whole, digits)


def decode_many(chunks: Sequence[bytes], begins: Begins, rows: int, span: slice) -> tuple[Floats, list[int]]:
    """Many series at once, several times faster than one by one.

    Args:
        chunks: As they lie in pieces, without how their streams begin; N of them.
        begins: How they do.
        rows: How many rows each has, T.
        span: Which of the rows are wanted.

    Returns:
        The values, [N, rows of the span], and which of the N are told by another column: these are not filled.

    Raises:
        StoreError: A chunk is damaged.
    """
    numbers = np.empty((len(chunks), rows), dtype=np.int64)
    floats = numbers.view(np.float64)
    divisors = np.ones((len(chunks), 1))
    as_they_are: list[int] = []
    told: list[int] = []
    for line, (chunk, row) in enumerate(zip(chunks, numbers, strict=True)):
        kind = chunk[:1]
        if kind == _WHOLES:
            _filled(begins[kind] + chunk[1:], row)
        elif kind == _DECIMALS and len(chunk) > 1:
            divisors[line] = 10.0 ** chunk[1]
            _filled(begins[kind] + chunk[2:], row)
        elif other_of(complete := whole_chunk(chunk, begins)) is not None:
            told.append(line)
        else:
            floats[line] = decode_chunk(complete, rows)
            as_they_are.append(line)
    values = numbers[:, span] / divisors
    if as_they_are:
        values[as_they_are] = floats[as_they_are, span]
    return values, told


def _wholes(chunk: bytes, rows: int) -> tuple[int, Times]:
    """Decimal digits and whole numbers of a chunk that has such."""
    begin = {_WHOLES: 1, _DECIMALS: 2}.get(chunk[:1], 0)
    if not begin or len(chunk) <= begin:
        raise StoreError(_DAMAGED)
    return chunk[1] if begin == 2 else 0, _ints(chunk[begin:], rows)


def _divided(whole: Times, digits: int) -> Floats:
    return np.asarray(whole / 10.0**digits if digits else whole, dtype=np.float64)


def _ints(stream: bytes, rows: int) -> Times:
    return _filled(stream, np.empty(rows, dtype=np.int64))


def _filled(stream: bytes, values: _Numbers) -> _Numbers:
    try:
        progress = standalone.simple_decompress_into(stream, values)
    except RuntimeError as error:
        raise StoreError(_DAMAGED) from error
    if not progress.finished or progress.n_processed != len(values):
        raise StoreError(_DAMAGED)
    return values


def _told_by_another(chunk: bytes, chunks: Sequence[bytes], related: Related, rows: int) -> bytes:
    """The chunk, or a smaller one that is its difference to an earlier column."""
    digits, whole = _wholes(chunk, rows)
    found = related.of(digits, whole)
    if found is not None:
        place, sign = found
        difference = whole - sign * _wholes(chunks[place], rows)[1]
        told = _DIFFERENCE + struct.pack("<IB", place, sign > 0) + _packed(difference)
        if len(told) < len(chunk):
            return told
    related.add(len(chunks), digits, whole)
    return chunk


def _chunk(values: Floats, config: ChunkConfig) -> bytes:
    bits = values.view(np.uint64)
    if (bits == bits[0]).all():
        first = float(values[0])
        if -128 <= first <= 127 and np.float64(int(first)).view(np.uint64) == bits[0]:
            return _SMALL + int(first).to_bytes(1, "little", signed=True)
        return _CONSTANT + bits[:1].tobytes()
    for digits, whole in _as_decimals(values):
        kind = _DECIMALS + bytes([digits]) if digits else _WHOLES
        return bytes(kind + standalone.simple_compress(whole, config))
    return bytes(_FLOATS + standalone.simple_compress(values, config))


def _as_decimals(values: Floats) -> Iterator[tuple[int, Times]]:
    """Whole numbers that, divided by 10 ** digits, are these values to the bit; at most one, of the fewest digits."""
    largest = np.abs(values).max()
    if not largest < _MOST_WHOLE:  # nor where there is a NaN
        return
    few = values[:: max(len(values) // 8, 1)].copy()
    for digits in _digits_worth_trying(few, float(largest)):
        whole = np.rint(values * 10.0**digits)
        if _same(values, whole, digits):
            yield digits, whole.astype(np.int64)
            return


def _digits_worth_trying(few: Floats, largest: float) -> Iterator[int]:
    """How many digits a few of the values have, from the fewest on."""
    if _same(few, np.rint(few), 0):
        yield 0
    # What has few digits has more as well, so that the most of them say for all whether there is any use in trying.
    room = _MOST_EXACT / (largest or 1.0)  # infinite beside the least of floats
    exact = _MOST_DIGITS if room >= 10.0**_MOST_DIGITS else math.floor(math.log10(room))
    hopeless = exact > 0 and not _same(few, np.rint(few * 10.0**exact), exact)
    for digits in range(exact + 1 if hopeless else 1, _MOST_DIGITS + 1):
        if largest * 10.0**digits >= _MOST_DECIMAL:
            return
        if _same(few, np.rint(few * 10.0**digits), digits):
            yield digits


def _same(values: Floats, whole: Floats, digits: int) -> bool:
    back = (whole.astype(np.int64) / 10.0**digits).view(np.uint64)
    return bool((back == np.ascontiguousarray(values).view(np.uint64)).all())


def _common(streams: list[bytes]) -> bytes:
    """What all of them begin with; an index says its length in one byte."""
    if not streams:
        return b""
    first, last = min(streams)[:255], max(streams)  # what these two have in common those between them have too
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return first[: sum(1 for _ in same)]


def _without(chunk: bytes, begins: Begins) -> bytes:
    at = _STREAMS.get(chunk[:1])
    return chunk if at is None else chunk[:at] + chunk[at + len(begins[chunk[:1]]) :]


def _packed(numbers: NDArray[np.int64]) -> bytes:
    return bytes(standalone.simple_compress(numbers, _CONFIG))


def _unpacked(packed: bytes) -> Times:
    """Numbers into room that grows: damaged bytes may announce more than there is memory, and then pcodec aborts."""
    room = _FIRST_ROOM
    while room <= _MOST_ROOM:
        numbers = np.empty(room, dtype=np.int64)
        read = standalone.simple_decompress_into(packed, numbers)
        if read is None or read.finished:
            return numbers[: read.n_processed if read is not None else 0].copy()
        room *= 16
    raise RuntimeError(f"more than {_MOST_ROOM} numbers")


def _ends(lengths: Times) -> Times:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
