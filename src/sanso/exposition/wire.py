"""Protobuf's wire format, written and read field by field: what Prometheus's messages and chunks are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct

from sanso.model.errors import DecodeError

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
MOST_FIELDS = 100_000
"""Of one message, unless it is told otherwise: what it makes in memory is many times as large as what it is."""
_SIZES = {FIXED64: 8, FIXED32: 4}
_DOUBLE = Struct("<d")
_MASK = (1 << 64) - 1


def varint(value: int) -> bytes:
    """An unsigned number of variable length; what is negative is written as the 64 bits that it has."""
    value &= _MASK
    if value < 128:
        return bytes((value,))
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def zigzag(value: int) -> int:
    """What stands for a signed number in an unsigned one."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def field(number: int, content: bytes) -> bytes:
    """A field of bytes: a text or a message."""
    return varint(number << 3 | LENGTH) + varint(len(content)) + content


def double_field(number: int, value: float) -> bytes:
    """A field of a float; for numbers up to 15."""
    return bytes((number << 3 | FIXED64,)) + _DOUBLE.pack(value)


def varint_field(number: int, value: int) -> bytes:
    """A field of a whole number."""
    return varint(number << 3 | VARINT) + varint(value)


def read_varint(body: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, and where it ends.

    Raises:
        IndexError: The body ends before it does.
        DecodeError: It is longer than 64 bits can be.
    """
    byte = body[place]
    place += 1
    if byte < 128:
        return byte, place
    value, shift = byte & 127, 7
    while byte > 127:
        byte = body[place]
        place += 1
        value |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            raise DecodeError("a number of more than 64 bits")
    return value & _MASK, place


def signed(value: int) -> int:
    """An int64 or int32 that was written as its 64 bits."""
    return value - (1 << 64) if value >> 63 else value


def double(body: bytes, place: int) -> float:
    """The float that begins there."""
    value: float = _DOUBLE.unpack_from(body, place)[0]
    return value


def fields(
    body: bytes, start: int, end: int, kinds: Mapping[int, int], most: int = MOST_FIELDS
) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message: number, wire type, value and end; a value that is not a varint is where it begins.

    Args:
        body: What the message lies in.
        start: Where it begins.
        end: Where it ends.
        kinds: The wire types of the fields that are wanted; others are passed over.
        most: Of fields, the others among them.

    Raises:
        IndexError: The body ends too early.
        DecodeError: The message is none, has too many fields, or one of another type.
    """
    place, left = start, most
    while place < end:
        if not left:
            raise DecodeError(f"a message of more than {most} fields")
        left -= 1
        tag, place = read_varint(body, place)
        number, kind = tag >> 3, tag & 7
        value = place
        if kind == VARINT:
            value, place = read_varint(body, place)
        elif kind == LENGTH:
            length, value = read_varint(body, place)
            place = value + length
        elif kind in _SIZES:
            place += _SIZES[kind]
        else:
            raise DecodeError(f"wire type {kind} is not one of protobuf's")
        if place > end or not number:
            raise DecodeError("a message is cut off or damaged")
        wanted = kinds.get(number)
        if wanted is None:
            continue
        if kind != wanted:
            raise DecodeError(f"field {number} is of wire type {kind}, not {wanted}")
        yield number, kind, value, place
