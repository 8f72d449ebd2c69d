from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sanso.model.exponential import coarser

INDICES = st.integers(-5000, 5000)


@given(INDICES, st.integers(0, 12))
def test_a_bucket_goes_into_the_one_around_it(index: int, by: int) -> None:
    ((place, count),) = coarser(((index, 3.0),), by)
    assert (place - 1) << by < index <= place << by  # bounds are base ** index, the upper one inclusive
    assert count == 3


@given(st.dictionaries(INDICES, st.integers(1, 9), max_size=40), st.integers(0, 6), st.integers(0, 6))
def test_nothing_is_lost_and_two_steps_are_as_one(held: dict[int, int], first: int, second: int) -> None:
    buckets = tuple((index, float(count)) for index, count in sorted(held.items()))
    assert sum(count for _, count in coarser(buckets, first)) == sum(held.values())
    assert coarser(coarser(buckets, first), second) == coarser(buckets, first + second)
