from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pcodec import ChunkConfig, standalone

from sanso.model.errors import StoreError
from sanso.model.frame import ABSENT, STALE, absent
from sanso.store.blocks import decode_chunk, decode_index, decode_times, encode, sealed

cells = st.one_of(st.floats(), st.sampled_from([ABSENT, STALE, float("nan")]), st.integers(-5, 5).map(float))
whole_cells = st.integers(-(2**62), 2**62).map(float)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=40)
    | st.lists(st.lists(whole_cells, min_size=3, max_size=3), min_size=1, max_size=40)
)
def test_a_block_gives_back_every_bit(rows: list[list[float]]) -> None:
    values = np.array(rows, dtype=np.float64)
    times = np.arange(len(rows), dtype=np.int64) * 1000 + 1_700_000_000_000
    block = sealed(times, [7, 8, 9], np.ascontiguousarray(values.T))
    assert decode_times(block.timeline).tolist() == times.tolist()
    series, ends = decode_index(block.index)
    assert series.tolist() == [7, 8, 9]
    for column in range(3):
        chunk = block.chunks[int(ends[column]) : int(ends[column + 1])]
        back = decode_chunk(chunk, block.rows)
        assert back.view(np.uint64).tolist() == np.ascontiguousarray(values[:, column]).view(np.uint64).tolist()


def test_constants_cost_nine_bytes_and_small_whole_ones_two() -> None:
    times = np.arange(500, dtype=np.int64)
    assert len(encode(times, [1], np.full((1, 500), 3.5)).chunks) == 9
    assert len(encode(times, [1], np.full((1, 500), -0.0)).chunks) == 9
    assert len(encode(times, [1], np.full((1, 500), -128.0)).chunks) == 2


def test_a_series_without_a_sample_takes_no_place() -> None:
    values = np.vstack([absent(1, 50), np.ones((1, 50))])
    assert decode_index(encode(np.arange(50, dtype=np.int64), [4, 5], values).index)[0].tolist() == [5]


def test_counters_are_kept_as_whole_numbers() -> None:
    counter = np.cumsum(np.random.default_rng(1).integers(0, 9, (1, 600)), axis=1).astype(np.float64)
    whole = encode(np.arange(600, dtype=np.int64), [1], counter)
    assert whole.chunks[:1] == b"\x02"
    assert len(whole.chunks) < len(standalone.simple_compress(counter[0], ChunkConfig()))


def test_damage_is_said() -> None:
    with pytest.raises(StoreError, match="damaged"):
        decode_index(b"\x02\x00\x00\x00abc")
    with pytest.raises(StoreError, match="damaged"):
        decode_chunk(b"\x07", 3)
