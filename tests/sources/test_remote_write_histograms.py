from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.clock import FixedClock
from sanso.model.errors import DecodeError
from sanso.model.frame import STALE, is_absent, is_stale
from sanso.model.labels import Labels, series_of
from sanso.model.matchers import Matcher
from sanso.model.native_histogram import CUSTOM_SCHEMA, Buckets, Hint, NativeHistogram, part_of, parts, plain
from sanso.model.native_messages import native_of
from sanso.sources.remote_write import V1, V2, RemoteWriteReceiver
from sanso.sources.remote_write_schema import request_class
from sanso.store.exemplars import Exemplars
from sanso.store.store import Store
from tests.sources.remote_write_requests import fill, packed, request_of

NOW = 1_790_000_000_000
LATENCY = series_of("latency_seconds", job="a")
VERSIONS = [("v1", V1), ("v2", V2)]


def buckets() -> st.SearchStrategy[Buckets]:
    filled = st.dictionaries(st.integers(-300, 300), st.integers(1, 10**6), max_size=12)
    return filled.map(lambda held: tuple((index, float(count)) for index, count in sorted(held.items())))


@st.composite
def histograms(draw: st.DrawFn) -> NativeHistogram:
    schema = draw(st.sampled_from([*range(-4, 9), CUSTOM_SCHEMA]))
    total = draw(st.floats(allow_nan=False, allow_infinity=False))
    hint = draw(st.sampled_from(Hint))
    if schema == CUSTOM_SCHEMA:
        bounds = tuple(sorted(draw(st.sets(st.floats(-1e6, 1e6).map(lambda value: value + 0.0), max_size=6))))
        counts = draw(st.lists(st.integers(0, 10**6), min_size=len(bounds) + 1, max_size=len(bounds) + 1))
        held = tuple((index, float(count)) for index, count in enumerate(counts) if count)
        return NativeHistogram(schema, float(sum(counts)), total, positive=held, bounds=bounds, hint=hint)
    positive, negative, zero = draw(buckets()), draw(buckets()), draw(st.integers(0, 10))
    count = zero + sum(held for _, held in (*positive, *negative))
    width = draw(st.sampled_from([0.0, 1e-128, 0.001]))
    return NativeHistogram(schema, float(count), total, float(zero), width, positive, negative, hint=hint)


def receiver() -> tuple[RemoteWriteReceiver, Store]:
    store = Store.in_memory(retention_ms=10**10)
    return RemoteWriteReceiver(store, Exemplars(), FixedClock(NOW), 10**10, lambda: not store.notice), store


def held(store: Store) -> dict[tuple[Labels, int], dict[str, float]]:
    found: dict[tuple[Labels, int], dict[str, float]] = defaultdict(dict)
    for frame in store.select([Matcher("__name__", "=~", ".+")], 0, NOW + 10**9):
        for labels, values in zip(frame.labels, frame.values, strict=True):
            for place in np.flatnonzero(~is_absent(values)).tolist():
                found[plain(labels), int(frame.timeline[place])][part_of(labels)] = float(values[place])
    return dict(found)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(histograms(), min_size=1, max_size=3), max_size=4), st.booleans(), st.sampled_from(VERSIONS))
def test_what_is_sent_is_held_part_by_part(
    sent: list[list[NativeHistogram]], floats: bool, version: tuple[str, str]
) -> None:
    receive, store = receiver()
    expected: dict[tuple[Labels, int], dict[str, float]] = {}
    for turn, request in enumerate(sent):
        series = [
            (series_of("latency_seconds", n=str(n)), [(NOW - 10**6 + turn * 1000, histogram, floats)])
            for n, histogram in enumerate(request)
        ]
        answer = receive.receive(packed(request_of(version[0], series)), message=version[1])
        assert (answer.problem, answer.histograms, answer.samples) == ("", len(request), 0)
        expected |= {(labels, given[0][0]): parts(given[0][1]) for labels, given in series}
    assert held(store) == expected


@pytest.mark.parametrize(("version", "message"), VERSIONS)
def test_the_same_again_is_taken_and_another_at_its_time_is_refused_whole(version: str, message: str) -> None:
    receive, store = receiver()
    first = NativeHistogram(0, 3.0, 4.5, positive=((0, 1.0), (2, 2.0)))
    other = NativeHistogram(0, 4.0, 4.5, positive=((0, 1.0), (7, 3.0)))
    request = packed(request_of(version, [(LATENCY, [(NOW, first, False)])]))
    assert receive.receive(request, message=message).problem == ""
    assert receive.receive(request, message=message).histograms == 1
    answer = receive.receive(packed(request_of(version, [(LATENCY, [(NOW, other, False)])])), message=message)
    assert answer.histograms == 0
    assert 'histograms of latency_seconds{job="a"}: out of order' in answer.problem
    assert held(store) == {(LATENCY, NOW): parts(first)}


def test_late_ones_are_taken_within_the_window() -> None:
    receive, store = receiver()
    times = [NOW - 5000, NOW - 1000, NOW - 3000]
    for time_ms in times:
        sent = NativeHistogram(3, 1.0, float(time_ms), positive=((time_ms % 7, 1.0),))
        assert receive.receive(packed(request_of("v1", [(LATENCY, [(time_ms, sent, False)])]))).problem == ""
    assert sorted(time_ms for _, time_ms in held(store)) == sorted(times)


@pytest.mark.parametrize("as_float", [False, True])
def test_the_end_of_a_histogram_is_marked_in_all_its_parts(as_float: bool) -> None:
    """As a histogram whose sum is the marker, or as the plain marker that a sender makes of a series that went away."""
    receive, store = receiver()
    for time_ms, index in ((NOW - 2000, 1), (NOW - 1000, 2)):
        sent = NativeHistogram(3, 1.0, 2.0, positive=((index, 1.0),))
        receive.receive(packed(request_of("v1", [(LATENCY, [(time_ms, sent, False)])])))
    if as_float:
        request = request_class("v1")()
        series = request.timeseries.add()
        for name, text in LATENCY:
            series.labels.add(name=name, value=text)
        series.samples.add(value=STALE, timestamp=NOW)
        answer = receive.receive(packed(request.SerializeToString()))
        assert (answer.samples, answer.problem) == (1, "")
    else:
        marker = NativeHistogram(0, 0.0, STALE)
        answer = receive.receive(packed(request_of("v1", [(LATENCY, [(NOW, marker, False)])])))
        assert (answer.histograms, answer.problem) == (1, "")
    at_end = held(store)[LATENCY, NOW]
    assert set(at_end) == {"schema", "count", "sum", "s3:1", "s3:2"}
    assert is_stale(np.array(list(at_end.values()))).all()


def test_finer_schemas_are_made_coarser() -> None:
    message = request_class("v1")().timeseries.add().histograms.add()
    fill(message, NOW, NativeHistogram(10, 6.0, 1.0, positive=((-4, 1.0), (-3, 1.0), (0, 1.0), (1, 1.0), (4, 2.0))))
    assert native_of(message) == NativeHistogram(8, 6.0, 1.0, positive=((-1, 1.0), (0, 2.0), (1, 3.0)))


def spoilt(**changes: Any) -> Any:
    message = request_class("v1")().timeseries.add().histograms.add()
    fill(message, NOW, NativeHistogram(0, 3.0, 4.5, positive=((0, 1.0), (2, 2.0))))
    for name, value in changes.items():
        if isinstance(value, list):
            del getattr(message, name)[:]
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)
    return message


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (spoilt(schema=-5), "schema -5 is not known"),
        (spoilt(schema=53), "schema 53 is not known"),
        (spoilt(positive_deltas=[1]), "do not fit together"),
        (spoilt(positive_deltas=[1, -2]), "less than nothing"),
        (spoilt(count_int=4), "3 observations in buckets, but a count of 4"),
        (spoilt(count_int=2, sum=math.nan), "3 observations in buckets, but a count of 2"),
        (spoilt(zero_threshold=-1.0), "zero threshold"),
        (spoilt(custom_values=[1.0]), "custom bounds in an exponential histogram"),
        (spoilt(schema=-53, custom_values=[1.0]), "beyond the custom bounds"),
        (spoilt(schema=-53, custom_values=[2.0, 1.0]), "do not rise"),
        (spoilt(schema=-53, custom_values=[1.0, math.inf]), "must be finite"),
        (spoilt(schema=-53, custom_values=[1.0, 2.0], zero_threshold=1.0), "neither negative buckets nor a zero"),
    ],
)
def test_what_contradicts_itself_is_refused(message: Any, why: str) -> None:
    with pytest.raises(DecodeError, match=why):
        native_of(message)


def test_a_bad_histogram_is_named_and_the_rest_is_kept() -> None:
    receive, store = receiver()
    good = NativeHistogram(0, 3.0, 4.5, positive=((0, 1.0), (2, 2.0)))
    request = request_class("v1").FromString(
        request_of("v1", [(series_of("bad"), [(NOW, good, False)]), (LATENCY, [(NOW, good, False)])])
    )
    request.timeseries[0].histograms[0].schema = 99
    answer = receive.receive(packed(request.SerializeToString()))
    assert (answer.histograms, answer.problem) == (1, "1 x histograms of bad: schema 99 is not known")
    assert held(store) == {(LATENCY, NOW): parts(good)}


def test_a_count_with_nan_sum_may_exceed_its_buckets() -> None:
    """Observations of NaN are in no bucket."""
    assert native_of(spoilt(count_int=5, sum=math.nan)).count == 5
