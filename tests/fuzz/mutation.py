"""Bytes changed at random: for where there is no fuzzer that sees which code an input reaches."""

from __future__ import annotations

import random
from collections.abc import Sequence

MOST_BYTES = 4096
_ODD = (
    b"\x00",
    b"\xff",
    b"\x80",
    b"\x7f",
    b"\n",
    b'"',
    b"\\",
    b"{",
    b"}",
    b" ",
    b"#",
    b"1e999",
    b"NaN",
    b"\xff" * 9 + b"\x01",
)


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """A seed with a few changes, perhaps joined to another one."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        _change(data, seeds, chance)
    return bytes(data[:MOST_BYTES])


def _change(data: bytearray, seeds: Sequence[bytes], chance: random.Random) -> None:
    start = chance.randrange(len(data) + 1)
    end = min(start + chance.choice((1, 1, 2, 8, 40)), len(data))
    kind = chance.randrange(7)
    if kind == 0 and start < len(data):
        data[start] ^= 1 << chance.randrange(8)
    elif kind == 1:
        data[start:end] = chance.randbytes(end - start)
    elif kind == 2:
        del data[start:end]
    elif kind == 3:
        data[start:start] = data[start:end] * chance.choice((1, 2, 50))
    elif kind == 4:
        data[start:start] = chance.choice(_ODD)
    elif kind == 5:
        other = chance.choice(seeds)
        cut = chance.randrange(len(other) + 1)
        data[start:end] = other[cut : cut + chance.randrange(80)]
    else:
        del data[start:]
