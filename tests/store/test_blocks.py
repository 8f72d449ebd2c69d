from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.errors import StoreError
from sanso.model.frame import ABSENT, STALE
from sanso.store.blocks import decode_chunk, decode_index, decode_times, encode

cells = st.one_of(st.floats(), st.sampled_from([ABSENT, STALE, float("nan")]), st.integers(-5, 5).map(float))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=40))
def test_a_block_gives_back_every_bit(rows: list[list[float]]) -> None:
    values = np.array(rows, dtype=np.float64)
    times = np.arange(len(rows), dtype=np.int64) * 1000 + 1_700_000_000_000
    block = encode(times, [7, 8, 9], values)
    assert decode_times(block.timeline).tolist() == times.tolist()
    series, ends = decode_index(block.index)
    assert series.tolist() == [7, 8, 9]
    for column in range(3):
        chunk = block.chunks[int(ends[column]) : int(ends[column + 1])]
        back = decode_chunk(chunk, block.rows)
        assert back.view(np.uint64).tolist() == np.ascontiguousarray(values[:, column]).view(np.uint64).tolist()


def test_constants_cost_nine_bytes() -> None:
    block = encode(np.arange(500, dtype=np.int64), [1], np.full((500, 1), 3.5))
    assert len(block.chunks) == 9


def test_damage_is_said() -> None:
    with pytest.raises(StoreError, match="damaged"):
        decode_index(b"\x02\x00\x00\x00abc")
    with pytest.raises(StoreError, match="damaged"):
        decode_chunk(b"\x07", 3)
