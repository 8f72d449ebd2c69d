"""Sealed blocks: the columns of many rows, each in its cheapest form. Pure bytes in, bytes out.

A block is a timeline and, for each series, a chunk: one kind byte, then for a constant its 8 bytes (or one, for a small
whole number), else pcodec's stream, of int64 where every value is a whole number and of float64 where not. pcodec keeps
every bit, so the three NaN stay distinct.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

from sanso.model.errors import StoreError
from sanso.model.frame import Floats, Times, is_absent

_CONSTANT, _FLOATS, _WHOLES, _SMALL = b"\x00", b"\x01", b"\x02", b"\x03"
_MOST_WHOLE = 2.0**62
_CONFIG = ChunkConfig()


@dataclass(frozen=True)
class Block:
    """A sealed block.

    Attributes:
        timeline: The compressed times.
        index: The series numbers (int32) and the end of each chunk (int64), length-prefixed.
        chunks: All chunks, one after the other.
        rows: How many rows it has.
    """

    timeline: bytes
    index: bytes
    chunks: bytes
    rows: int


def encode(times: Times, series: Sequence[int], values: Floats) -> Block:
    """Seal rows; a series without a sample in them is left out.

    Args:
        times: Milliseconds, strictly rising, shape [T].
        series: Series numbers, length N.
        values: Shape [N, T].
    """
    held = np.flatnonzero((~is_absent(values)).any(axis=1)).tolist()
    return sealed(times, [series[line] for line in held], (values[line] for line in held))


def sealed(times: Times, series: Sequence[int], columns: Iterable[Floats]) -> Block:
    """A block of columns that come one at a time, each contiguous and of shape [T]."""
    chunks = [_chunk(column) for column in columns]
    ends = np.cumsum([len(chunk) for chunk in chunks], dtype=np.int64)
    index = struct.pack("<I", len(series)) + np.asarray(series, dtype=np.int32).tobytes() + ends.tobytes()
    return Block(standalone.simple_compress(times, _CONFIG), index, b"".join(chunks), len(times))


def decode_times(timeline: bytes) -> Times:
    """The times of a block."""
    times = standalone.simple_decompress(timeline)
    if times is None:
        return np.empty(0, dtype=np.int64)
    return np.asarray(times, dtype=np.int64)


def decode_index(index: bytes) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Series numbers, and where each chunk begins and ends: N and N + 1 of them.

    Raises:
        StoreError: The index is damaged.
    """
    (count,) = struct.unpack_from("<I", index)
    if len(index) != 4 + 12 * count:
        raise StoreError("a block's index is damaged: restore a backup")
    series = np.frombuffer(index, dtype=np.int32, count=count, offset=4)
    ends = np.frombuffer(index, dtype=np.int64, count=count, offset=4 + 4 * count)
    return series, np.concatenate([np.zeros(1, dtype=np.int64), ends])


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
    values = standalone.simple_decompress(chunk[1:]) if kind in (_FLOATS, _WHOLES) else None
    expected = np.float64 if kind == _FLOATS else np.int64
    if values is None or len(values) != rows or values.dtype != expected:
        raise StoreError("a block's column is damaged: restore a backup")
    return np.asarray(values, dtype=np.float64)


def _chunk(values: Floats) -> bytes:
    bits = values.view(np.uint64)
    if (bits == bits[0]).all():
        first = float(values[0])
        if -128 <= first <= 127 and np.float64(int(first)).view(np.uint64) == bits[0]:
            return _SMALL + int(first).to_bytes(1, "little", signed=True)
        return _CONSTANT + bits[:1].tobytes()
    whole = _as_wholes(values)
    if whole is not None:
        return bytes(_WHOLES + standalone.simple_compress(whole, _CONFIG))
    return bytes(_FLOATS + standalone.simple_compress(values, _CONFIG))


def _as_wholes(values: Floats) -> Times | None:
    """The same as int64, where that keeps every bit: no NaN, no fraction, no -0.0."""
    if not (np.abs(values) < _MOST_WHOLE).all():
        return None
    whole = values.astype(np.int64)
    return whole if (whole.astype(np.float64).view(np.uint64) == values.view(np.uint64)).all() else None
