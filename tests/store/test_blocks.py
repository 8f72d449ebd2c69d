from __future__ import annotations

import contextlib
import itertools
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pcodec import ChunkConfig, standalone

from sanso.model.errors import StoreError
from sanso.model.frame import ABSENT, STALE, Floats, Times, absent
from sanso.store import columns as store_columns
from sanso.store.blocks import (
    PIECE_BYTES,
    Block,
    decode_chunk,
    decode_index,
    decode_many,
    decode_times,
    decode_with,
    encode,
    other_of,
    piece_starts,
    sealed,
    whole_chunk,
)
from sanso.store.columns import BlockColumns, Index
from sanso.store.places import Places

cells = st.one_of(st.floats(), st.sampled_from([ABSENT, STALE, float("nan")]), st.integers(-5, 5).map(float))
whole_cells = st.integers(-(2**62), 2**62).map(float)
decimal_cells = st.integers(-(10**12), 10**12).map(lambda whole: whole / 1000)


def chunk_of(block: Block, ends: Times, column: int) -> bytes:
    return whole_chunk(b"".join(block.pieces)[int(ends[column]) : int(ends[column + 1])], decode_index(block.index)[2])


def values_of(block: Block, ends: Times, column: int) -> Floats:
    chunk = chunk_of(block, ends, column)
    other = other_of(chunk)
    if other is None:
        return decode_chunk(chunk, block.rows)
    if other_of(chunk_of(block, ends, other)) is not None:
        return values_of(block, ends, other)
    return decode_with(chunk, chunk_of(block, ends, other), block.rows)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=40)
    | st.lists(st.lists(whole_cells, min_size=3, max_size=3), min_size=1, max_size=40)
    | st.lists(st.lists(decimal_cells, min_size=3, max_size=3), min_size=1, max_size=40)
    | st.lists(cells.map(lambda cell: [cell, cell, cell]), min_size=1, max_size=40)
)
def test_a_block_gives_back_every_bit(rows: list[list[float]]) -> None:
    values = np.array(rows, dtype=np.float64)
    times = np.arange(len(rows), dtype=np.int64) * 1000 + 1_700_000_000_000
    block = sealed(times, [7, 8, 9], np.ascontiguousarray(values.T))
    assert decode_times(block.timeline).tolist() == times.tolist()
    series, ends, _ = decode_index(block.index)
    assert series.tolist() == [7, 8, 9]
    for column in range(3):
        back = values_of(block, ends, column)
        assert back.view(np.uint64).tolist() == np.ascontiguousarray(values[:, column]).view(np.uint64).tolist()


def reader_of(block: Block) -> BlockColumns:
    series, ends, begins = decode_index(block.index)
    index = Index(decode_times(block.timeline), Places(series.tolist()), ends, begins)
    return BlockColumns(lambda _, asked: (block.pieces[asked[0] & ((1 << 20) - 1)],), 0, index)


mixed = st.one_of(
    st.lists(cells, min_size=20, max_size=20),
    st.lists(whole_cells, min_size=20, max_size=20),
    st.lists(decimal_cells, min_size=20, max_size=20),
    cells.map(lambda cell: [cell] * 20),
    st.just([float(n * n) for n in range(20)]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(mixed, min_size=1, max_size=12), st.integers(0, 20), st.integers(0, 20), st.integers(1, 70), st.data())
def test_many_columns_at_once_are_what_they_are_one_by_one(
    columns: list[list[float]], first: int, last: int, at_once: int, data: st.DataObject
) -> None:
    values = np.array(columns, dtype=np.float64)
    block = sealed(np.arange(20, dtype=np.int64), range(len(values)), values)
    read = reader_of(block)
    wanted = np.array(data.draw(st.lists(st.integers(0, len(values) - 1), max_size=15)), dtype=np.intp)
    with mock.patch.object(store_columns, "_CELLS_AT_ONCE", at_once):
        found = list(read.batches(wanted, slice(first, last)))
    together = np.concatenate(found) if found else np.empty((0, len(range(20)[first:last])))
    assert together.view(np.uint64).tolist() == values[wanted, first:last].copy().view(np.uint64).tolist()
    for place in wanted.tolist():
        assert read.column(place).view(np.uint64).tolist() == values[place].view(np.uint64).tolist()


def test_the_least_of_floats_are_kept() -> None:
    values = np.array([[0.0, 5e-324, 1.1125369292536007e-308, -5e-324]])
    block = sealed(np.arange(4, dtype=np.int64), [1], values)
    assert reader_of(block).column(0).tobytes() == values.tobytes()


def test_constants_cost_nine_bytes_and_small_whole_ones_two() -> None:
    times = np.arange(500, dtype=np.int64)
    assert len(encode(times, [1], np.full((1, 500), 3.5)).pieces[0]) == 9
    assert len(encode(times, [1], np.full((1, 500), -0.0)).pieces[0]) == 9
    assert len(encode(times, [1], np.full((1, 500), -128.0)).pieces[0]) == 2


def test_a_series_without_a_sample_takes_no_place() -> None:
    values = np.vstack([absent(1, 50), np.ones((1, 50))])
    assert decode_index(encode(np.arange(50, dtype=np.int64), [4, 5], values).index)[0].tolist() == [5]


def test_counters_are_kept_as_whole_numbers() -> None:
    counter = np.cumsum(np.random.default_rng(1).integers(0, 9, (1, 600)), axis=1).astype(np.float64)
    whole = encode(np.arange(600, dtype=np.int64), [1], counter)
    assert whole.pieces[0][:1] == b"\x02"
    assert len(whole.pieces[0]) < len(standalone.simple_compress(counter[0], ChunkConfig()))


def test_damage_is_said() -> None:
    with pytest.raises(StoreError, match="damaged"):
        decode_index(b"\x02\x00\x00\x00abc")
    with pytest.raises(StoreError, match="damaged"):
        decode_chunk(b"\x07", 3)
    begins = decode_index(encode(np.arange(9, dtype=np.int64), [1], np.full((1, 9), 3.5)).index)[2]
    for damaged in (b"", b"\x02", b"\x04", b"\x04\x02", b"\x01", b"\x07"):
        with pytest.raises(StoreError, match="damaged"):
            decode_many([damaged], begins, 3, slice(None))


def test_decimal_fractions_are_kept_as_whole_numbers() -> None:
    seconds = np.cumsum(np.random.default_rng(1).integers(0, 9, (1, 600)), axis=1) / 100
    block = encode(np.arange(600, dtype=np.int64), [1], seconds)
    assert block.pieces[0][:2] == b"\x04\x02"
    assert len(block.pieces[0]) < len(standalone.simple_compress(seconds[0], ChunkConfig()))


def test_a_column_that_another_equals_is_kept_once() -> None:
    values = np.random.default_rng(1).normal(size=(1, 600))
    one, two = (encode(np.arange(600, dtype=np.int64), range(n), values.repeat(n, axis=0)) for n in (1, 2))
    assert len(two.pieces[0]) == len(one.pieces[0]) + 5


@given(st.lists(st.integers(1, 3 * PIECE_BYTES), max_size=60))
def test_pieces_end_with_the_column_that_makes_them_long_enough(lengths: list[int]) -> None:
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    starts = [*piece_starts(ends), len(lengths)]
    assert starts[0] == 0
    for start, end in itertools.pairwise(starts):
        assert end == len(lengths) or ends[end] - ends[start] >= PIECE_BYTES
        assert ends[end - 1] - ends[start] < PIECE_BYTES


@given(st.binary(max_size=300), st.integers(1, 50))
def test_whatever_the_bytes_are_decoding_ends_in_values_or_in_an_error(damaged: bytes, rows: int) -> None:
    for decode in (decode_index, lambda chunk: decode_chunk(chunk, rows)):
        with contextlib.suppress(StoreError):
            decode(damaged)


@pytest.mark.parametrize("digits", [0, 2])
def test_columns_that_move_together_are_kept_as_differences(digits: int) -> None:
    random = np.random.default_rng(1)
    walk = np.cumsum(random.integers(-1000, 1000, 600))
    others = [walk, 7 - walk, walk + random.integers(-2, 3, 600), walk + random.integers(-2, 3, 600), 7 - walk]
    alone = np.cumsum(random.integers(-1000, 1000, 600))
    values = np.vstack([*others, alone, *others[2:]]) / 10**digits
    times = np.arange(600, dtype=np.int64)
    block = sealed(times, range(len(values)), values)
    _, ends, _ = decode_index(block.index)
    assert [chunk_of(block, ends, column)[:1] for column in (1, 2, 3)] == [b"\x06"] * 3
    assert chunk_of(block, ends, 5)[:1] != b"\x06"
    for column, expected in enumerate(values):
        assert values_of(block, ends, column).tobytes() == expected.tobytes()
    (together,) = reader_of(block).batches(np.arange(len(values)), slice(None))
    assert together.tobytes() == values.tobytes()
    assert int(ends[-1]) < 4 * len(encode(times, [1], values[:1]).pieces[0])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(129, 200), st.integers(2, 12))
def test_long_blocks_of_related_columns_give_back_every_bit(seed: int, rows: int, count: int) -> None:
    random = np.random.default_rng(seed)
    bases = np.cumsum(random.integers(-50, 1000, (3, rows)), axis=1)
    columns = [
        (bases[random.integers(3)] * random.choice([-1, 1]) + random.integers(0, 4, rows)) / 10 ** random.integers(0, 3)
        for _ in range(count)
    ]
    block = sealed(np.arange(rows, dtype=np.int64), range(count), columns)
    _, ends, _ = decode_index(block.index)
    for column, expected in enumerate(columns):
        assert values_of(block, ends, column).tobytes() == expected.tobytes()
    together = np.concatenate(list(reader_of(block).batches(np.arange(count), slice(None))))
    assert together.tobytes() == np.array(columns).tobytes()


def test_a_difference_that_is_the_only_one_has_its_whole_stream_in_the_index() -> None:
    walk = np.cumsum(np.random.default_rng(1).integers(-1000, 1000, 600)).astype(float)
    values = np.vstack([walk, 7 - walk])
    block = sealed(np.arange(600, dtype=np.int64), range(2), values)
    _, ends, _ = decode_index(block.index)
    assert block.pieces[0][int(ends[1]) :] == b"\x06\x00\x00\x00\x00\x00"
    (together,) = reader_of(block).batches(np.arange(2), slice(None))
    assert together.tobytes() == values.tobytes()
