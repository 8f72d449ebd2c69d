from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.labels import series_of
from sanso.model.native_histogram import CUSTOM_SCHEMA, Hint, NativeHistogram
from sanso.promql.histograms.merging import CLASHING, FINE, MIXED
from sanso.promql.histograms.over_time import changed, counted, newest, oldest, summed
from sanso.promql.histograms.rates import Growth, grown, resets_between, stepped
from sanso.promql.histograms.reading import separated
from sanso.promql.histograms.windows import Windows, windows_of
from tests.promql.histograms import oracle
from tests.promql.histograms.test_merging import close
from tests.promql.histograms.test_reading import frame_of

SAMPLES = st.lists(st.one_of(st.none(), oracle.histograms(widths=(0.0,))), min_size=2, max_size=6)


def windows(samples: list[NativeHistogram | None], starts: list[int], ends: list[int]) -> Windows:
    """Samples a second apart, the first at 0; windows in seconds."""
    frame = frame_of({series_of("x"): samples})
    _, (found,) = separated([type(frame)(frame.labels, frame.timeline * 1000, frame.values)])
    return windows_of(found, np.array(starts) * 1000, np.array(ends) * 1000)


def increase(samples: list[oracle.Plain]) -> oracle.Plain | None:
    """Growth over consecutive samples, by hand."""
    total: oracle.Plain | None = None
    for before, after in itertools.pairwise(samples):
        step = after if oracle.reset(before, after) else oracle.add(after, before, -1.0)
        assert step is not None
        total = step if total is None else oracle.add(total, step)
    return total


def only(found: Growth, step: int = 0) -> NativeHistogram:
    return found.histograms.table.histogram(int(found.histograms.at[0, step]))


@given(SAMPLES)
def test_growth_is_that_of_each_step(samples: list[NativeHistogram | None]) -> None:
    held = [oracle.plain(sample) for sample in samples if sample is not None]
    if len(held) < 2:
        return
    found = grown(windows(samples, [-1], [len(samples)]), counter=True)
    assert found.outcome[0, 0] == FINE
    got, expected = only(found), increase(held)
    assert expected is not None
    assert got.hint is Hint.GAUGE
    factor = got.count / expected.count if expected.count else 1.0
    assert got.count >= expected.count - 1e-9
    schema = min(got.schema, expected.schema)  # by hand, buckets are lost only as far as a step needs it
    scaled = oracle.Plain(
        expected.schema, expected.count * factor, expected.sum * factor, expected.zero * factor, expected.threshold,
        {i: c * factor for i, c in expected.positive.items()}, {i: c * factor for i, c in expected.negative.items()},
    )  # fmt: skip
    assert close(oracle.native(oracle.reduce(oracle.plain(got), schema)), oracle.native(oracle.reduce(scaled, schema)))


@given(SAMPLES)
def test_the_last_two_decide_an_instant_rate(samples: list[NativeHistogram | None]) -> None:
    held = [sample for sample in samples if sample is not None]
    if len(held) < 2:
        return
    found = stepped(windows(samples, [-1], [len(samples)]), counter=False)
    expected = oracle.add(oracle.plain(held[-1]), oracle.plain(held[-2]), -1.0)
    assert expected is not None
    assert close(only(found), oracle.native(expected))


@given(SAMPLES, st.integers(-1, 6), st.integers(0, 6))
def test_windows_are_sums_of_what_is_in_them(samples: list[NativeHistogram | None], start: int, length: int) -> None:
    inside = [
        sample for second, sample in enumerate(samples) if start < second <= start + length and sample is not None
    ]
    if not any(samples):
        return
    window = windows(samples, [start], [start + length])
    assert window.counts[0, 0] == len(inside)
    found = summed(window)
    assert (found.histograms.at[0, 0] >= 0) == bool(inside)
    assert (newest(window).at[0, 0] >= 0) == bool(inside)
    if not inside:
        return
    total: oracle.Plain | None = oracle.plain(inside[0])
    for sample in inside[1:]:
        assert total is not None
        total = oracle.add(total, oracle.plain(sample))
    assert total is not None
    assert close(found.histograms.table.histogram(int(found.histograms.at[0, 0])), oracle.native(total))
    assert window.table.histogram(int(newest(window).at[0, 0])) == inside[-1]
    assert window.table.histogram(int(oldest(window).at[0, 0])) == inside[0]
    changes = sum(a != b for a, b in itertools.pairwise(inside))
    assert counted(window, changed(window))[0, 0] == changes
    pairs = itertools.pairwise(inside)
    resets = sum(oracle.reset(oracle.plain(a), oracle.plain(b)) for a, b in pairs)
    assert counted(window, resets_between(window))[0, 0] == resets


def custom(bounds: tuple[float, ...], count: float) -> NativeHistogram:
    return NativeHistogram(CUSTOM_SCHEMA, count, count, positive=((0, count),), bounds=bounds)


def test_what_cannot_be_subtracted_is_told() -> None:
    fine = NativeHistogram(0, 5.0, 5.0, positive=((0, 5.0),))
    first, second = custom((1.0,), 3.0), custom((2.0,), 4.0)
    cases: list[tuple[list[NativeHistogram | None], bool, int]] = [
        ([first, second], True, FINE),
        ([first, second], False, CLASHING),
        ([first, first, second], True, CLASHING),
        ([first, fine], True, FINE),
        ([first, fine], False, MIXED),
        ([fine, first, fine], True, MIXED),
    ]
    for samples, counter, outcome in cases:
        found = grown(windows(samples, [-1], [len(samples)]), counter=counter)
        assert found.outcome[0, 0] == outcome, samples
        assert (found.histograms.at[0, 0] >= 0) == (outcome == FINE)


def test_gauges_and_counters_are_told_apart() -> None:
    counter = NativeHistogram(0, 1.0, 1.0)
    gauge = NativeHistogram(0, 1.0, 1.0, hint=Hint.GAUGE)
    assert grown(windows([counter, gauge, counter], [-1], [3]), counter=True).misfit[0, 0]
    assert not grown(windows([counter, counter], [-1], [3]), counter=True).misfit[0, 0]
    assert grown(windows([gauge, counter], [-1], [3]), counter=False).misfit[0, 0]
    assert not grown(windows([gauge, counter, gauge], [-1], [3]), counter=False).misfit[0, 0]


def test_a_rate_is_extrapolated_to_the_edges() -> None:
    """Two samples a second apart in a window of two seconds stand for the whole of it."""
    samples: list[NativeHistogram | None] = [NativeHistogram(0, n, 2 * n, positive=((1, n),)) for n in (1.0, 5.0)]
    found = grown(windows(samples, [-1], [1]), counter=True, seconds=np.array([2.0]))
    assert only(found).count == pytest.approx(4.0)
    assert dict(only(found).positive)[1] == pytest.approx(4.0)
