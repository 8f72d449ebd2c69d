"""Prometheus's XOR chunks: what remote read streams samples in.

A chunk is a count (16 bits), the first sample whole, then for each sample the change of the step between times and the
bits in which its value differs from the one before. Any window that holds the differing bits may be written; here it is
one window a chunk, so that all fields of a chunk are laid out at once by numpy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sanso.exposition.wire import varint, zigzag
from sanso.model.frame import Floats, Times

_MOST_SAMPLES = 120
"""Of a chunk, as Prometheus cuts them."""
_MOST_LEADING = 31
_WIDTHS = ((14, 0b10, 2), (17, 0b110, 3), (20, 0b1110, 4))
"""Of a changed step: its bits, and the mark before it with its own."""
_WHOLE = (64, 0b1111, 4)

_Bits = NDArray[np.uint64]
_Widths = NDArray[np.int64]


def xor_chunks(times: Times, values: Floats) -> Iterator[tuple[int, int, bytes]]:
    """First time, last time and bytes of each chunk of a series; every bit of a value is kept.

    Args:
        times: ms, rising, [T].
        values: [T], contiguous.
    """
    bits = values.view(np.uint64)
    for start in range(0, len(times), _MOST_SAMPLES):
        part = slice(start, min(start + _MOST_SAMPLES, len(times)))
        yield int(times[part.start]), int(times[part.stop - 1]), _chunk(times[part], bits[part])


def _chunk(times: Times, bits: _Bits) -> bytes:
    head = struct.pack(">H", len(times)) + varint(zigzag(int(times[0]))) + struct.pack(">Q", int(bits[0]))
    if len(times) == 1:
        return head
    steps = np.diff(times)
    first = varint(int(steps[0]))
    changes = np.diff(steps)
    fields = np.zeros((len(steps), 4), dtype=np.uint64)
    widths = np.zeros((len(steps), 4), dtype=np.int64)
    fields[0, 1], widths[0, 1] = int.from_bytes(first, "big"), 8 * len(first)
    fields[1:, :2], widths[1:, :2] = _time_fields(changes)
    fields[:, 2:], widths[:, 2:] = _value_fields(bits[1:] ^ bits[:-1])
    return head + _laid(fields.ravel(), widths.ravel())


def _time_fields(changes: Times) -> tuple[_Bits, _Widths]:
    """Mark and payload of each change of the step; no change is a single 0."""
    fields = np.zeros((len(changes), 2), dtype=np.uint64)
    widths = np.zeros((len(changes), 2), dtype=np.int64)
    fields[:, 0], widths[:, 0] = _WHOLE[1], _WHOLE[2]
    fields[:, 1], widths[:, 1] = changes.view(np.uint64), _WHOLE[0]
    for width, mark, mark_width in reversed(_WIDTHS):
        near = (changes >= 1 - (1 << (width - 1))) & (changes <= 1 << (width - 1))
        fields[near, 0], widths[near, 0], widths[near, 1] = mark, mark_width, width
    same = changes == 0
    fields[same, 0], widths[same, 0], widths[same, 1] = 0, 1, 0
    return fields, widths


def _value_fields(differences: _Bits) -> tuple[_Bits, _Widths]:
    """Mark and payload of each value; an equal value is a single 0. The first that differs names the window."""
    fields = np.zeros((len(differences), 2), dtype=np.uint64)
    widths = np.zeros((len(differences), 2), dtype=np.int64)
    widths[:, 0] = 1
    places = np.flatnonzero(differences)
    if not len(places):
        return fields, widths
    together = int(np.bitwise_or.reduce(differences))
    leading = min(64 - together.bit_length(), _MOST_LEADING)
    trailing = (together & -together).bit_length() - 1
    width = 64 - leading - trailing
    fields[places, 0], widths[places, 0] = 0b10, 2
    fields[places, 1], widths[places, 1] = differences[places] >> np.uint64(trailing), width
    fields[places[0], 0] = 0b11 << 11 | leading << 6 | width % 64  # 64 bits are written as 0
    widths[places[0], 0] = 13
    return fields, widths


def _laid(fields: _Bits, widths: _Widths) -> bytes:
    """The fields' lowest bits one after the other."""
    field = np.repeat(np.arange(len(fields)), widths)
    below = np.cumsum(widths)[field] - 1 - np.arange(len(field))
    return np.packbits(((fields[field] >> below.astype(np.uint64)) & np.uint64(1)).astype(np.uint8)).tobytes()
