"""CRC-32 of Castagnoli's polynomial, of many messages at once: what frames of remote read are checked with.

A CRC is linear: pieces of one length are computed side by side, and joined by shifting one past the next. Zeros before
a message do not change the CRC (begun at 0), so every message is made of whole pieces, aligned at its end.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78
_PIECE = 256

_Table = NDArray[np.uint32]


def crc32c(messages: Sequence[bytes]) -> list[int]:
    """The checksum of each message."""
    table = _table()
    pieces, counts = [], []
    for message in messages:
        # A CRC begun with all ones is one begun with zeros of the message whose first four bytes are turned around.
        begun = bytes(byte ^ 0xFF for byte in message[:4].ljust(4, b"\0"))
        padded = begun + message[4:] if len(message) >= 4 else b""
        count = -(-len(padded) // _PIECE)
        pieces.append(padded.rjust(count * _PIECE, b"\0"))
        counts.append(count)
    columns = np.frombuffer(b"".join(pieces), dtype=np.uint8).reshape(-1, _PIECE).T.astype(np.uint32)
    found = np.zeros(columns.shape[1], dtype=np.uint32)
    for column in columns:
        found = table[(found ^ column) & 0xFF] ^ (found >> np.uint32(8))
    return _joined(messages, found.tolist(), counts)


def _joined(messages: Sequence[bytes], pieces: list[int], counts: list[int]) -> list[int]:
    low, second, third, high = _shifts()
    found, place = [], 0
    for message, count in zip(messages, counts, strict=True):
        if not count:
            found.append(_short(message))
            continue
        value = 0
        for piece in pieces[place : place + count]:
            shifted = low[value & 255] ^ second[value >> 8 & 255] ^ third[value >> 16 & 255] ^ high[value >> 24]
            value = shifted ^ piece
        found.append(value ^ 0xFFFFFFFF)
        place += count
    return found


def _short(message: bytes) -> int:
    table, value = _table().tolist(), 0xFFFFFFFF
    for byte in message:
        value = table[(value ^ byte) & 255] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


@functools.cache
def _table() -> _Table:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> np.uint32(1)) ^ np.uint32(_POLYNOMIAL), values >> np.uint32(1))
    return values.astype(np.uint32)


@functools.cache
def _shifts() -> tuple[list[int], ...]:
    """What each of a checksum's four bytes becomes when a piece of zeros follows."""
    table = _table()
    found = []
    for byte in range(4):
        values = np.arange(256, dtype=np.uint32) << np.uint32(8 * byte)
        for _ in range(_PIECE):
            values = table[values & 0xFF] ^ (values >> np.uint32(8))
        found.append(values.tolist())
    return tuple(found)
