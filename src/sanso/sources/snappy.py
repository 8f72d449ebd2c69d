"""Snappy as Prometheus sends it: the block format, bounded."""

from __future__ import annotations

import cramjam

from sanso.model.errors import DecodeError

_FRAMED = b"\xff\x06\x00\x00sNaPpY"
"""What snappy's other format begins with."""


def unpacked(body: bytes, most_bytes: int) -> bytes:
    """What a body holds.

    Raises:
        DecodeError: It is not in the block format, or unpacks to more than it may.
    """
    if not body:  # nothing is not the same as an empty text packed, which is one byte
        raise DecodeError("the body is empty: send a message in snappy's block format")
    if body.startswith(_FRAMED):
        raise DecodeError("the body is snappy in the framed format: send the block format")
    try:
        size = cramjam.snappy.decompress_raw_len(body)
        if size > most_bytes:
            raise DecodeError(f"the request unpacks to {size} bytes, more than {most_bytes >> 20} MiB")
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise DecodeError(f"the body is not snappy (block format): {error}") from error
