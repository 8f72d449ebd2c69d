from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.frame import ABSENT
from sanso.web.counted_text import countable, padded, points, series
from tests.web.points import one_by_one

whole = st.integers(0, 2**53 - 1) | st.integers(0, 30_000) | st.sampled_from([0, 9_999, 10_000, 99_999_999, 10**8])
decimal = st.integers(-(10**15) + 1, 10**15 - 1).map(lambda parts: parts / 10_000) | st.sampled_from(
    [0.5, 0.0001, -0.25, 0.1, 99_999_999_999.9999, 1.0001, -3.0]
)


@given(
    st.tuples(st.integers(1, 5), st.sampled_from([whole, decimal, whole | decimal])).flatmap(
        lambda kind: st.lists(st.lists(kind[1], min_size=kind[0], max_size=kind[0]), min_size=1)
    )
)
def test_numbers_of_few_decimals_are_written_as_one_at_a_time(rows: list[list[float]]) -> None:
    values = np.array(rows, dtype=float)
    values[values == 0] = 0.0
    times = [b"%d" % (1_700_000_000 + place) if place % 2 else b"%d.125" % place for place in range(values.shape[1])]
    assert countable(values).all()
    written = list(points(values, times))
    assert written == one_by_one(values, times)
    assert all(len(json.loads(b"[" + text + b"]")) == len(times) for text in written)


def test_what_has_more_digits_is_told() -> None:
    rows = [
        [1.0, 2.0],
        [1.0, 2.5],
        [-1.0, 0.0],
        [1.0, 1 / 3],
        [1.0, 0.00005],
        [0.1 + 0.2, 1.0],
        [100_000_000_000.0625, 1.0],
        [0.0, -0.0],
        [np.nan, 1.0],
        [np.inf, 1.0],
        [ABSENT, 1.0],
        [2.0**53, 1.0],
    ]
    assert countable(np.array(rows)).tolist() == [True] * 3 + [False] * 9


def test_many_rows_go_in_several_layouts() -> None:
    values = np.arange(40_000 * 3, dtype=float).reshape(-1, 3)
    written = list(points(values, [b"1", b"2", b"3"]))
    assert len(written) == 40_000
    assert written[39_999] == b'[1,"119997"],[2,"119998"],[3,"119999"]'
    assert list(points(np.empty((2, 0)), [])) == [b"", b""]


@given(
    st.integers(1, 4).flatmap(lambda steps: st.lists(st.lists(whole, min_size=steps, max_size=steps), min_size=1)),
    st.integers(0, 40),
)
def test_whole_series_are_their_names_and_points(rows: list[list[int]], length: int) -> None:
    values = np.array(rows, dtype=float)
    times = [b"%d" % place for place in range(values.shape[1])]
    names = [b"," + b"n" * (length * place % 41) + b"[" for place in range(len(rows))]
    heads = padded(names)
    assert heads is not None
    expected = b"".join(name + text + b"]}" for name, text in zip(names, points(values, times), strict=True))
    assert b"".join(series(values, times, heads)) == expected


def test_one_name_that_is_much_longer_than_the_rest_is_not_padded_to() -> None:
    assert padded([b"a" * 10] * 99 + [b"b" * 5000]) is None
    assert padded([]) is None


def test_many_series_go_in_several_layouts() -> None:
    values = np.arange(20_000 * 2, dtype=float).reshape(-1, 2)
    heads = padded([b",[%d:" % row for row in range(len(values))])
    assert heads is not None
    blocks = list(series(values, [b"1", b"2"], heads))
    assert len(blocks) > 1
    assert b"".join(blocks).count(b"]}") == 20_000
    assert blocks[-1].endswith(b',[19999:[1,"39998"],[2,"39999"]]}')
