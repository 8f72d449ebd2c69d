"""Whole numbers of variable length, as protobuf and Prometheus's chunks write them."""

from __future__ import annotations


def varint(value: int) -> bytes:
    """An unsigned one; what is negative is written as the 64 bits that it has."""
    value &= (1 << 64) - 1
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
