from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sanso.web.crc32c import crc32c


def plainly(message: bytes) -> int:
    """Bit by bit."""
    value = 0xFFFFFFFF
    for byte in message:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def test_the_published_check_values() -> None:
    zeros, ones, rising = bytes(32), b"\xff" * 32, bytes(range(32))
    assert crc32c([b"123456789", zeros, ones, rising]) == [0xE3069283, 0x8A9136AA, 0x62A8AB43, 0x46DD794E]


@given(st.lists(st.binary(max_size=700), max_size=5))
def test_of_any_messages(messages: list[bytes]) -> None:
    assert crc32c(messages) == [plainly(message) for message in messages]
