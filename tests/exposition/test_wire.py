from __future__ import annotations

from google.protobuf.wrappers_pb2 import Int64Value, UInt64Value
from hypothesis import given
from hypothesis import strategies as st

from sanso.exposition.wire import varint, zigzag


@given(st.integers(-(1 << 63), (1 << 64) - 1))
def test_protobuf_writes_the_same(value: int) -> None:
    message = UInt64Value(value=value) if value >= 0 else Int64Value(value=value)
    assert message.SerializeToString() == (b"\x08" + varint(value) if value else b"")


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_a_signed_number_comes_back_from_its_zigzag(value: int) -> None:
    folded = zigzag(value)
    assert 0 <= folded < 1 << 64
    assert (folded >> 1) ^ -(folded & 1) == value
