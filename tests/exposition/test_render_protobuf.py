"""The protobuf format written: read by the protobuf runtime, and by our own parser as what it was."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.exposition.formats import PROTOBUF, UTF8_PROTOBUF
from sanso.exposition.page import HistogramSample, Sample
from sanso.exposition.protobuf import ProtobufParser
from sanso.exposition.render_protobuf import render_protobuf
from sanso.model.frame import Family
from sanso.model.labels import NAME, labels_of, series_of
from sanso.model.native_histogram import CUSTOM_SCHEMA, Hint, NativeHistogram
from tests.exposition import pages
from tests.exposition.metric_families import COUNTER, GAUGE, GAUGE_HISTOGRAM, HISTOGRAM, UNTYPED, read_page
from tests.exposition.test_protobuf import NATIVE, histograms, numbers

FAMILIES = {
    "a_total": Family("a_total", "counter", "How\nmany.", "a"),
    "g": Family("g", "gauge", ""),
    "i": Family("i", "info", "What."),
    "h": Family("h", "histogram", "Sizes."),
}


def test_types_and_texts() -> None:
    series: list[Sample] = [
        (series_of("g"), -1.5, None),
        (series_of("a_total", x="ü"), 3.0, 1_790_000_000_000),
        (series_of("a_total"), 4.0, -1),
        (series_of("i", v="1"), 1.0, None),
        (series_of("h_bucket", le="1"), 2.0, None),
        (((NAME, "unknown"), ("instance", "")), math.inf, None),
    ]
    found = {each.name: each for each in read_page(render_protobuf(series, [], FAMILIES, UTF8_PROTOBUF))}
    assert list(found) == sorted(found)
    assert {name: each.type for name, each in found.items()} == {
        "a_total": COUNTER,
        "g": GAUGE,
        "i": GAUGE,
        "h_bucket": UNTYPED,
        "unknown": UNTYPED,
    }
    assert (found["a_total"].help, found["a_total"].unit) == ("How\nmany.", "a")
    first, second = found["a_total"].metric
    assert [(pair.name, pair.value) for pair in first.label] == [("x", "ü")]
    assert (first.counter.value, first.timestamp_ms) == (3.0, 1_790_000_000_000)
    assert (second.counter.value, second.timestamp_ms) == (4.0, -1)
    assert not found["g"].metric[0].HasField("timestamp_ms")
    assert [(pair.name, pair.value) for pair in found["unknown"].metric[0].label] == [("instance", "")]


def test_histograms_as_readers_know_them() -> None:
    gauge = NativeHistogram(**{**vars(NATIVE), "hint": Hint.GAUGE, "count": 8.5})
    custom = NativeHistogram(CUSTOM_SCHEMA, 4.0, 9.0, positive=((0, 1.0), (2, 3.0)), bounds=(0.5, 1.0))
    told: list[HistogramSample] = [
        (series_of("h", k="whole"), NATIVE, 7),
        (series_of("h", k="gauge"), gauge, None),
        (series_of("custom"), custom, None),
        (series_of("new"), NativeHistogram(5, 0.0, 0.0), None),
    ]
    custom_family, whole, gauges, new = read_page(render_protobuf([], told, FAMILIES, PROTOBUF))
    assert [each.type for each in (custom_family, whole, gauges, new)] == [HISTOGRAM] * 2 + [GAUGE_HISTOGRAM, HISTOGRAM]
    held = whole.metric[0].histogram
    assert (held.sample_count, held.zero_count, held.schema, held.sample_sum) == (8, 1, 3, 12.5)
    assert list(held.positive_delta) == [1, 1, 1]
    assert [(span.offset, span.length) for span in held.positive_span] == [(-2, 2), (4, 1)]
    held = gauges.metric[0].histogram
    assert (held.sample_count_float, held.zero_count_float) == (8.5, 1.0)
    assert list(held.positive_count) == [1.0, 2.0, 3.0]
    held = custom_family.metric[0].histogram
    assert [(b.upper_bound, b.cumulative_count_float) for b in held.bucket] == [(0.5, 1.0), (1.0, 1.0)]
    assert (held.sample_count_float, len(held.positive_span)) == (4.0, 0)
    held = new.metric[0].histogram
    assert [(span.offset, span.length) for span in held.positive_span] == [(0, 0)], "told from a classic one"


@pytest.mark.parametrize("count", [7.0, 9.0, math.nan])
def test_counts_that_do_not_add_up_are_told_as_floats(count: float) -> None:
    odd = NativeHistogram(**{**vars(NATIVE), "count": count})
    ((_, held, _),) = [(0, each.metric[0].histogram, 0) for each in read_page(_page(odd))]
    assert not held.HasField("sample_count")
    assert list(held.positive_count) == [1.0, 2.0, 3.0]


def _page(histogram: NativeHistogram) -> bytes:
    return render_protobuf([], [(series_of("h"), histogram, None)], {}, PROTOBUF)


def test_names_become_classic_unless_others_are_wished_for() -> None:
    series: list[Sample] = [(labels_of({NAME: "a.b", "c.d": "e.f"}), 1.0, None)]
    told: list[HistogramSample] = [(labels_of({NAME: "h.b", "c.d": "x"}), NATIVE, None)]
    plain = ProtobufParser().parse(render_protobuf(series, told, {}, PROTOBUF))
    assert (list(numbers(plain)), list(histograms(plain))) == (['a_b{c_d="e.f"}'], ['h_b{c_d="x"}'])
    quoted = ProtobufParser().parse(render_protobuf(series, told, {}, UTF8_PROTOBUF))
    assert (list(numbers(quoted)), list(histograms(quoted))) == (['a.b{c.d="e.f"}'], ['h.b{c.d="x"}'])


samples = st.lists(
    st.tuples(pages.series(pages.quoted_names, pages.quoted_names), pages.values, pages.times),
    max_size=6,
    unique_by=lambda sample: sample[0],
)


@given(samples)
def test_numbers_come_back(series: list[Sample]) -> None:
    series = [(labels, value, time or None) for labels, value, time in series]  # to readers, 0 is no time
    assert pages.told(ProtobufParser().parse(render_protobuf(series, [], {}, UTF8_PROTOBUF))) == pages.meant(series)


counts = st.integers(1, 1 << 50).map(float) | st.floats(0.001, 1e300)
sides = st.dictionaries(st.integers(-5000, 5000), counts, max_size=8).map(lambda held: tuple(sorted(held.items())))


@given(sides, sides, counts | st.just(0.0), st.integers(-4, 8), st.sampled_from((Hint.UNKNOWN, Hint.GAUGE)))
def test_native_histograms_come_back(
    positive: tuple[tuple[int, float], ...],
    negative: tuple[tuple[int, float], ...],
    zero: float,
    schema: int,
    hint: Hint,
) -> None:
    count = zero + sum(held for side in (positive, negative) for _, held in side)
    histogram = NativeHistogram(schema, count, -3.5, zero, 1e-9, positive, negative, hint=hint)
    assert histograms(ProtobufParser().parse(_page(histogram))) == {"h": histogram}
