from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.native_histogram import Hint, NativeHistogram
from sanso.promql.histograms.merging import CLASHING, FINE, MIXED, merged
from sanso.promql.histograms.table import joined, table_of
from tests.promql.histograms import oracle

HISTOGRAMS = oracle.histograms()
LIKE = oracle.histograms(widths=(0.25,))


def close(left: NativeHistogram, right: NativeHistogram) -> bool:
    assert (left.schema, left.zero_threshold, left.bounds) == (right.schema, right.zero_threshold, right.bounds)
    for a, b in ((left.positive, right.positive), (left.negative, right.negative)):
        assert [i for i, _ in a] == [i for i, _ in b]
        assert np.allclose([c for _, c in a], [c for _, c in b])
    assert np.allclose([left.count, left.sum, left.zero_count], [right.count, right.sum, right.zero_count])
    return True


def summed(*histograms: NativeHistogram, weights: list[float] | None = None) -> NativeHistogram | int:
    """The sum by the fast way, or why there is none."""
    zeros = np.zeros(len(histograms), dtype=np.int64)
    given_weights = None if weights is None else np.array(weights)
    found = merged(table_of(histograms), np.arange(len(histograms)), zeros, 1, weights=given_weights)
    return found.table.histogram(0) if found.outcome[0] == FINE else int(found.outcome[0])


def certain(*histograms: NativeHistogram) -> NativeHistogram:
    found = summed(*histograms)
    assert isinstance(found, NativeHistogram)
    return found


@given(HISTOGRAMS, HISTOGRAMS, st.sampled_from([1.0, -1.0]))
def test_a_sum_is_the_plain_one(a: NativeHistogram, b: NativeHistogram, factor: float) -> None:
    expected = oracle.add(oracle.plain(a), oracle.plain(b), factor)
    got = summed(a, b, weights=[1.0, factor])
    assert expected is not None
    assert isinstance(got, NativeHistogram)
    assert close(got, oracle.native(expected))


@given(HISTOGRAMS, HISTOGRAMS)
def test_a_sum_has_no_order(a: NativeHistogram, b: NativeHistogram) -> None:
    assert close(certain(a, b), certain(b, a))


@given(LIKE, LIKE, LIKE)
def test_sums_nest(a: NativeHistogram, b: NativeHistogram, c: NativeHistogram) -> None:
    assert close(certain(certain(a, b), c), certain(a, certain(b, c)))
    assert close(certain(a, b, c), certain(a, certain(b, c)))


@given(st.lists(HISTOGRAMS, min_size=1, max_size=5))
def test_a_sum_loses_no_observation(several: list[NativeHistogram]) -> None:
    total = certain(*several)
    assert math.isclose(total.count, sum(h.count for h in several))
    held = total.zero_count + sum(count for side in (total.positive, total.negative) for _, count in side)
    assert math.isclose(held, total.count)


@given(oracle.customs(), oracle.customs())
def test_custom_bounds_must_be_equal(a: NativeHistogram, b: NativeHistogram) -> None:
    expected = oracle.add(oracle.plain(a), oracle.plain(b))
    got = summed(a, b)
    if expected is None:
        assert got == CLASHING
    else:
        assert isinstance(got, NativeHistogram)
        assert close(got, oracle.native(expected))


@given(HISTOGRAMS, oracle.customs())
def test_exponential_and_custom_do_not_mix(a: NativeHistogram, b: NativeHistogram) -> None:
    assert summed(a, b) == MIXED


@given(st.lists(st.one_of(HISTOGRAMS, oracle.customs()), min_size=1, max_size=6), st.data())
def test_groups_do_not_touch_each_other(several: list[NativeHistogram], data: st.DataObject) -> None:
    groups = np.array(sorted(data.draw(st.lists(st.integers(0, 2), min_size=len(several), max_size=len(several)))))
    _, numbers = np.unique(groups, return_inverse=True)
    found = merged(table_of(several), np.arange(len(several)), numbers.astype(np.int64), int(numbers.max()) + 1)
    for group in range(int(numbers.max()) + 1):
        alone = summed(*[h for h, number in zip(several, numbers.tolist(), strict=True) if number == group])
        if isinstance(alone, int):
            assert found.outcome[group] == alone
            assert found.at[group] == -1
        else:
            assert close(found.table.histogram(int(found.at[group])), alone)


def test_a_hint_survives_only_among_its_like() -> None:
    base = NativeHistogram(0, 1.0, 1.0, positive=((0, 1.0),))
    cases = [
        ((Hint.RESET, Hint.RESET), Hint.RESET),
        ((Hint.RESET, Hint.NO_RESET), Hint.UNKNOWN),
        ((Hint.UNKNOWN, Hint.NO_RESET), Hint.UNKNOWN),
        ((Hint.GAUGE, Hint.NO_RESET), Hint.GAUGE),
        ((Hint.UNKNOWN, Hint.GAUGE), Hint.GAUGE),
    ]
    for hints, expected in cases:
        several = [NativeHistogram(**{**vars(base), "hint": hint}) for hint in hints]
        assert certain(*several).hint is expected


@given(st.lists(st.one_of(HISTOGRAMS, oracle.customs()), max_size=4), st.lists(HISTOGRAMS, max_size=4))
def test_a_table_gives_back_what_it_took(some: list[NativeHistogram], more: list[NativeHistogram]) -> None:
    table = joined([table_of(some), table_of(more)])
    assert [table.histogram(cell) for cell in range(len(table))] == [*some, *more]
