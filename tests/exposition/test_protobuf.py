"""The protobuf format read: every message by a writer that is not ours, on first sight and over a page read before."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sanso.exposition.metric_series import MetricTexts
from sanso.exposition.page import HistogramWish, Limits, Page
from sanso.exposition.protobuf import ProtobufParser
from sanso.model.errors import DecodeError
from sanso.model.frame import Family
from sanso.model.labels import render, series_of
from sanso.model.native_histogram import Hint, NativeHistogram, part_of, plain, whole
from tests.exposition.metric_families import (
    COUNTER,
    GAUGE,
    GAUGE_HISTOGRAM,
    HISTOGRAM,
    SUMMARY,
    UNTYPED,
    delimited,
    exponential,
    family,
    metric,
)

CLASSIC = HistogramWish(native=False)
BOTH = HistogramWish(classic=True)
NATIVE = NativeHistogram(3, 8.0, 12.5, 1.0, 0.001, ((-2, 1.0), (-1, 2.0), (4, 3.0)), ((1, 1.0),))


def numbers(page: Page) -> dict[str, float]:
    plain_series = page.row.columns.labels[: len(page.row.columns.labels) - page.parts]
    return {render(labels): value for labels, value in zip(plain_series, page.row.values.tolist(), strict=False)}


def histograms(page: Page) -> dict[str, NativeHistogram]:
    found: dict[str, dict[str, float]] = {}
    first = len(page.row.columns.labels) - page.parts
    for labels, value in zip(page.row.columns.labels[first:], page.row.values[first:].tolist(), strict=True):
        found.setdefault(render(plain(labels)), {})[part_of(labels)] = value
    return {series: whole(held) for series, held in found.items()}


def read(*families: Any, wish: HistogramWish | None = None) -> Page:
    return ProtobufParser(wish=wish).parse(delimited(*families))


def simple() -> list[Any]:
    counter = family("requests_total", COUNTER, help="How many.\n", unit="requests")
    for code, value in (("200", 5.0), ("500", 0.0)):
        added = metric(counter, code=code, method="get")
        added.counter.value = value
        added.counter.created_timestamp.seconds = 1_700_000_000
    gauge = family("depth", GAUGE)
    metric(gauge).gauge.value = -1.5
    untyped = family("odd.name", UNTYPED)
    metric(untyped, a__dot__b="ü").untyped.value = math.inf
    return [counter, family("empty", GAUGE), gauge, untyped]


def test_numbers_of_all_types() -> None:
    page = read(*simple())
    assert numbers(page) == {
        'requests_total{code="200", method="get"}': 5.0,
        'requests_total{code="500", method="get"}': 0.0,
        "depth": -1.5,
        'odd.name{a.b="ü"}': math.inf,
    }
    assert page.families == (
        Family("requests_total", "counter", "How many.\n", "requests"),
        Family("depth", "gauge", ""),
        Family("odd.name", "unknown", ""),
    )
    assert (page.times, page.samples, page.duplicates, page.histograms, page.parts) == (None, 4, 0, 0, 0)


def test_a_page_that_is_the_same_again_keeps_its_columns() -> None:
    parser = ProtobufParser()
    families = simple()
    first = parser.parse(delimited(*families))
    for value in (7.0, 8.0):
        families[0].metric[0].counter.value = value
        families[2].metric[0].gauge.value = math.nan
        page = parser.parse(delimited(*families))
        assert page.row.columns is first.row.columns
        assert page.families is first.families
        assert numbers(page)['requests_total{code="200", method="get"}'] == value
        assert math.isnan(numbers(page)["depth"])
    metric(families[2], new="1").gauge.value = 3.0
    page = parser.parse(delimited(*families))
    assert numbers(page)['depth{new="1"}'] == 3.0
    assert len(page.row.columns.labels) == 5
    families[2].metric[0].gauge.value = 1.0
    again = parser.parse(delimited(*reversed(families)))
    assert again.row.columns is page.row.columns
    assert numbers(again) == {**numbers(page), "depth": 1.0}


def test_a_summary() -> None:
    summary = family("wait_seconds", SUMMARY)
    held = metric(summary, job="x").summary
    held.sample_count, held.sample_sum = 3, 1.5
    held.quantile.add(quantile=0.5, value=0.1)
    held.quantile.add(quantile=1.0, value=math.nan)
    metric(summary)
    assert {key: str(value) for key, value in numbers(read(summary)).items()} == {
        'wait_seconds_count{job="x"}': "3.0",
        'wait_seconds_sum{job="x"}': "1.5",
        'wait_seconds{job="x", quantile="0.5"}': "0.1",
        'wait_seconds{job="x", quantile="1.0"}': "nan",
        "wait_seconds_count": "0.0",
        "wait_seconds_sum": "0.0",
    }


def classic(kind: int = HISTOGRAM) -> Any:
    found = family("h_seconds", kind)
    held = metric(found, job="x").histogram
    held.sample_count, held.sample_sum = 4, 2.5
    held.bucket.add(upper_bound=1.0, cumulative_count=1)
    held.bucket.add(upper_bound=1e6, cumulative_count=3)
    return found


CLASSIC_SERIES = {
    'h_seconds_count{job="x"}': 4.0,
    'h_seconds_sum{job="x"}': 2.5,
    'h_seconds_bucket{job="x", le="1.0"}': 1.0,
    'h_seconds_bucket{job="x", le="1e+06"}': 3.0,
    'h_seconds_bucket{job="x", le="+Inf"}': 4.0,
}


@pytest.mark.parametrize("wish", [HistogramWish(), CLASSIC, BOTH])
@pytest.mark.parametrize("kind", [HISTOGRAM, GAUGE_HISTOGRAM])
def test_a_classic_histogram(wish: HistogramWish, kind: int) -> None:
    assert numbers(read(classic(kind), wish=wish)) == CLASSIC_SERIES
    told = classic(kind)
    told.metric[0].histogram.bucket.add(upper_bound=math.inf, cumulative_count=4)
    page = read(told, wish=wish)
    assert numbers(page) == CLASSIC_SERIES
    assert page.families == (Family("h_seconds", "histogram", ""),)


def test_a_classic_histogram_of_floats() -> None:
    told = classic()
    held = told.metric[0].histogram
    held.sample_count_float = 4.5
    held.bucket[0].cumulative_count_float = 1.5
    found = numbers(read(told))
    assert found['h_seconds_bucket{job="x", le="+Inf"}'] == found['h_seconds_count{job="x"}'] == 4.5
    assert found['h_seconds_bucket{job="x", le="1.0"}'] == 1.5


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("floats", [False, True])
@pytest.mark.parametrize("kind", [HISTOGRAM, GAUGE_HISTOGRAM])
def test_a_native_histogram(kind: int, floats: bool, packed: bool) -> None:
    told = family("n", kind, packed=packed)
    exponential(metric(told, job="x").histogram, floats=floats)
    page = read(told)
    hint = Hint.GAUGE if kind == GAUGE_HISTOGRAM else Hint.UNKNOWN
    assert histograms(page) == {'n{job="x"}': NativeHistogram(**{**vars(NATIVE), "hint": hint})}
    assert numbers(page) == {}
    assert (page.samples, page.histograms) == (1, 1)
    assert numbers(read(told, wish=CLASSIC)) == {
        'n_count{job="x"}': 8.0,
        'n_sum{job="x"}': 12.5,
        'n_bucket{job="x", le="+Inf"}': 8.0,
    }


def test_a_native_histogram_beside_its_classic_buckets() -> None:
    told = classic()
    exponential(told.metric[0].histogram)
    assert numbers(read(told)) == {}
    page = read(told, wish=BOTH)
    assert numbers(page)['h_seconds_bucket{job="x", le="1.0"}'] == 1.0
    assert list(histograms(page)) == ['h_seconds{job="x"}']
    assert page.samples == 6
    assert numbers(read(told, wish=CLASSIC)).keys() == CLASSIC_SERIES.keys()


def test_one_without_observations_is_native_by_a_span_of_nothing() -> None:
    told = family("n", HISTOGRAM)
    metric(told).histogram.positive_span.add(offset=0, length=0)
    assert histograms(read(told)) == {"n": NativeHistogram(0, 0.0, 0.0)}


def test_finer_schemas_and_too_many_buckets_are_made_coarser() -> None:
    told = family("n", HISTOGRAM)
    exponential(metric(told).histogram)
    (coarse,) = histograms(read(told, wish=HistogramWish(finest_schema=1))).values()
    assert (coarse.schema, coarse.positive, coarse.negative) == (1, ((0, 3.0), (1, 3.0)), ((1, 1.0),))
    (few,) = histograms(read(told, wish=HistogramWish(most_buckets=3))).values()
    assert (few.schema, len(few.positive) + len(few.negative)) == (2, 3) or few == coarse
    told.metric[0].histogram.schema = 11
    (kept,) = histograms(read(told)).values()
    assert kept.schema == 8
    with pytest.raises(DecodeError, match="bucket limit exceeded"):
        read(told, wish=HistogramWish(most_buckets=1))


def test_buckets_that_come_change_the_columns_and_those_that_stay_do_not() -> None:
    told = family("n", HISTOGRAM)
    held = metric(told).histogram
    exponential(held)
    parser = ProtobufParser()
    first = parser.parse(delimited(told))
    held.positive_delta[2], held.sample_count = 5, 12
    second = parser.parse(delimited(told))
    assert second.row.columns is first.row.columns
    assert histograms(second)["n"].positive[-1] == (4, 7.0)
    held.positive_span[1].length, held.sample_count = 2, 19
    held.positive_delta.append(0)
    third = parser.parse(delimited(told))
    assert histograms(third)["n"].positive[-2:] == ((4, 7.0), (5, 7.0))
    assert set(first.row.columns.labels) < set(third.row.columns.labels)


def test_times() -> None:
    gauge = family("a", GAUGE)
    first = metric(gauge, a="1")
    first.gauge.value, first.timestamp_ms = 1.0, 1_790_000_000_000
    metric(gauge, a="2").gauge.value = 2.0
    native = family("n", HISTOGRAM)
    exponential(metric(native).histogram)
    native.metric[0].timestamp_ms = -5
    parser = ProtobufParser()
    for _ in range(2):
        page = parser.parse(delimited(gauge, native))
        assert page.times is not None
        assert page.times.tolist()[:2] == [1_790_000_000_000, -(2**63)]
        assert set(page.times.tolist()[2:]) == {-5}


def test_exemplars() -> None:
    counter = family("c_total", COUNTER)
    held = metric(counter).counter
    held.value, held.exemplar.value = 3.0, 0.5
    held.exemplar.label.add(name="trace_id", value="x")
    told = classic()
    bucket = told.metric[0].histogram.bucket[1]
    bucket.exemplar.value, bucket.exemplar.timestamp.seconds, bucket.exemplar.timestamp.nanos = 7.0, 12, 345_678_901
    page = read(counter, told)
    assert [(render(e.series), e.labels, e.value, e.time_ms) for e in page.exemplars] == [
        ("c_total", (("trace_id", "x"),), 0.5, None),
        ('h_seconds_bucket{job="x", le="1e+06"}', (), 7.0, 12_345),
    ]
    histogram = told.metric[0].histogram
    exponential(histogram)
    histogram.bucket[0].exemplar.value = 1.0  # without a time: not for a native histogram
    assert [(render(e.series), e.value) for e in read(told).exemplars] == [('h_seconds{job="x"}', 7.0)]
    own = histogram.exemplars.add(value=9.0)
    own.timestamp.seconds = 1
    assert [(render(e.series), e.value) for e in read(told).exemplars] == [('h_seconds{job="x"}', 9.0)]
    assert len(read(told, wish=BOTH).exemplars) == 3


def test_a_series_that_stands_twice_counts_once() -> None:
    gauge, native = family("a", GAUGE), family("n", HISTOGRAM)
    for value in (1.0, 2.0):
        metric(gauge).gauge.value = value
        exponential(metric(native).histogram)
        native.metric[-1].histogram.sample_sum = value
    page = read(gauge, native, native)
    assert numbers(page) == {"a": 1.0}
    assert histograms(page)["n"].sum == 1.0
    assert (page.samples, page.duplicates, page.histograms) == (6, 4, 1)


def test_labels_without_a_value_are_no_labels_but_known() -> None:
    gauge = family("a", GAUGE)
    metric(gauge, instance="", job="x").gauge.value = 1.0
    parser = ProtobufParser()
    for _ in range(2):
        page = parser.parse(delimited(gauge))
        assert numbers(page) == {'a{job="x"}': 1.0}
        assert page.emptied == {series_of("a", job="x"): frozenset({"instance"})}


def test_labels_may_come_last() -> None:
    body = delimited(simple()[0])
    gauge = b"\x12\x09\x09\x00\x00\x00\x00\x00\x00\xf0\x3f"
    label = b"\x0a\x06\x0a\x01b\x12\x01c"
    message = b"\x0a\x01a\x18\x01" + b"".join(
        b"\x22" + bytes([len(one)]) + one for one in (gauge + b"\x30\x05" + label, label + gauge)
    )
    parser = ProtobufParser()
    for _ in range(2):
        page = parser.parse(bytes([len(message)]) + message + body)
        assert page.times is not None
        assert numbers(page)['a{b="c"}'] == 1.0
        assert (page.duplicates, page.times[0]) == (1, 5)


def damaged() -> dict[str, tuple[bytes, str]]:
    twice = family("a", GAUGE)
    metric(twice, b="1").label.add(name="b", value="2")
    nameless = family("", GAUGE)
    metric(nameless)
    reserved = family("a", GAUGE)
    metric(reserved, __hist__="schema")
    empty_label = family("a", GAUGE)
    metric(empty_label).label.add(value="x")
    type_unknown = family("a", 6)
    metric(type_unknown)
    own = classic()
    own.metric[0].label.add(name="le", value="1")
    spans = family("a", HISTOGRAM)
    exponential(metric(spans).histogram)
    spans.metric[0].histogram.positive_span.add(offset=1, length=3)
    schema = family("a", HISTOGRAM)
    exponential(metric(schema).histogram)
    schema.metric[0].histogram.schema = -9
    count = family("a", HISTOGRAM)
    exponential(metric(count).histogram)
    count.metric[0].histogram.sample_count = 3
    latin = delimited(*simple()).replace("ü".encode(), b"\xff\xff")
    whole_page = delimited(*simple())
    return {
        "a label twice": (delimited(twice), "metric a: the label 'b' stands twice"),
        "no name": (delimited(nameless), "without a name"),
        "parts by hand": (delimited(reserved), "__hist__"),
        "a label without a name": (delimited(empty_label), "empty name"),
        "another type": (delimited(type_unknown), "6 is not a metric type"),
        "le twice": (delimited(own), "the label 'le' stands twice"),
        "spans": (delimited(spans), "spans and buckets do not fit"),
        "schema": (delimited(schema), "schema -9"),
        "count": (delimited(count), "8 observations in buckets, but a count of 3"),
        "not UTF-8": (latin, "is not UTF-8"),
        "cut off": (whole_page[:-3], "cut off"),
        "text": (b"a 1\n", "cut off"),
        "group": (b"\x01\x0b", "wire type 3"),
        "wrong wire type": (b"\x02\x08\x01", "wire type 0, not 2"),
        "endless number": (b"\x0b" + b"\xff" * 11, "more than 64 bits"),
    }


@pytest.mark.parametrize("what", damaged())
def test_what_is_refused(what: str) -> None:
    body, problem = damaged()[what]
    kept = ProtobufParser()
    before = kept.parse(delimited(*simple()))
    for parser in (ProtobufParser(), kept):
        with pytest.raises(DecodeError, match=problem):
            parser.parse(body)
    assert kept.parse(delimited(*simple())).row.columns is before.row.columns, "nothing of it is taken"


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        (Limits(body_bytes=50), "more than the limit of 50"),
        (Limits(samples=3), "more than the limit of 3|metric families"),
        (Limits(labels=2), "more labels than the limit"),
        (Limits(label_name_bytes=5), "longer than the limit of 5 bytes"),
        (Limits(label_value_bytes=9), "longer than the limit of 9 bytes"),
    ],
)
def test_limits(limits: Limits, problem: str) -> None:
    with pytest.raises(DecodeError, match=problem):
        ProtobufParser(limits).parse(delimited(*simple()))


def test_no_more_is_made_of_a_page_than_the_limits_allow() -> None:
    for body in (b"\0" * 1_000_000, b"\x90\x4e" + b"\x22\0" * 5000, b"\x92\x4e" + b"\x18\x01" + b"\x22\0" * 5000):
        with pytest.raises(DecodeError):
            ProtobufParser(Limits(samples=1000)).parse(body)
    many = family("n", HISTOGRAM)
    held = metric(many).histogram
    for number in range(2000):
        held.bucket.add(upper_bound=float(number))
    with pytest.raises(DecodeError, match="2003 samples"):
        ProtobufParser(Limits(samples=1000)).parse(delimited(many))


def test_buckets_of_native_histograms_are_limited_as_samples_are() -> None:
    told = family("n", HISTOGRAM)
    for code in range(3):
        held = metric(told, code=str(code)).histogram
        held.positive_span.add(offset=0, length=400)
        held.positive_delta.extend([1] + [0] * 399)
        held.sample_count = 400
    assert ProtobufParser(Limits(samples=1300)).parse(delimited(told)).samples == 3
    with pytest.raises(DecodeError, match="or their buckets are more than the limit of 1000"):
        ProtobufParser(Limits(samples=1000)).parse(delimited(told))


def test_buckets_that_come_and_go_are_not_remembered_for_ever() -> None:
    parser = ProtobufParser()
    for number in range(8000):
        told = family("n", HISTOGRAM)
        held = metric(told).histogram
        held.positive_span.add(offset=number, length=1)
        held.positive_delta.append(1)
        held.sample_count = 1
        parser.parse(delimited(told))
    ((whole,),) = [list(reader._wholes.values()) for reader in parser._readers.values()]
    assert len(whole.metric._made or {}) < 5100


def test_parsers_of_one_kind_of_target_share_their_series() -> None:
    texts = MetricTexts(Limits())
    pages = [ProtobufParser(texts=texts).parse(delimited(*simple(), classic())) for _ in range(2)]
    for one, other in zip(*(page.row.columns.labels for page in pages), strict=True):
        assert one is other
    few = MetricTexts(Limits(), most=2)
    assert numbers(ProtobufParser(texts=few).parse(delimited(*simple()))) == numbers(read(*simple()))
    assert len([metric for known in few._known.values() for metric in known]) <= 2


def test_the_same_bytes_under_another_type_are_read_anew() -> None:
    parser, told = ProtobufParser(), classic()
    del told.metric[0].histogram.bucket[:]
    as_histogram = delimited(told)
    as_gauge = as_histogram.replace(b"\x18\x04", b"\x18\x05")
    exponential(told.metric[0].histogram)
    native, gauge = delimited(told), delimited(told).replace(b"\x18\x04", b"\x18\x05", 1)
    for page in (as_histogram, as_gauge, native, gauge, native):
        found, fresh = parser.parse(page), ProtobufParser().parse(page)
        assert (numbers(found), histograms(found)) == (numbers(fresh), histograms(fresh))


def test_families_that_stand_otherwise_than_on_the_page_before() -> None:
    quoted = family("a", GAUGE, help='"\x22\x01"', unit="x")
    scattered = b"\x0a\x01b" + b"\x22\x0b\x12\x09\x09" + bytes(8) + b"\x18\x01" + b"\x22\x00"
    padded = b"\x0a\x01c\x18\x01" + b"\x22\x8b\x00\x12\x09\x09" + bytes(8)
    parser, bodies = ProtobufParser(), []
    for value in (1.0, 2.0, 3.0):
        metric(quoted, n=str(value)).gauge.value = value
        quoted.unit = "y" if value == 3.0 else "x"
        rest = b"".join(bytes([len(one)]) + one for one in (scattered, padded))
        bodies += [delimited(quoted) + rest, rest + delimited(quoted), delimited(quoted, quoted)]
    with pytest.raises(DecodeError, match="wire type 7"):
        parser.parse(bytes([len(scattered)]) + scattered + b"\x03\x07\x22\x00")
    for body in bodies + bodies[::-1]:
        found, fresh = parser.parse(body), ProtobufParser().parse(body)
        assert numbers(found) == numbers(fresh)
        assert (found.families, found.duplicates) == (fresh.families, fresh.duplicates)


def test_native_histograms_whose_buckets_are_the_same_again() -> None:
    told = family("n", GAUGE_HISTOGRAM)
    held = metric(told).histogram
    exponential(held)
    parser = ProtobufParser()
    for change in ("none", "more", "zero", "less", "wrong", "shifted", "floats"):
        if change == "more":
            held.positive_delta[0], held.sample_count = 3, 14
        elif change == "zero":
            held.zero_count, held.sample_count = 0, 13
        elif change == "less":
            held.positive_delta[:], held.sample_count = [3, -3, 2], 6
        elif change == "wrong":
            held.sample_count = 7
        elif change == "shifted":
            held.positive_delta[:], held.negative_delta[:], held.sample_count = [1, 1], [1, 1], 6
        elif change == "floats":
            told = family("n", GAUGE_HISTOGRAM)
            exponential(metric(told).histogram, floats=True)
        outcomes = []
        for one in (parser, ProtobufParser()):
            try:
                outcomes.append(str(histograms(one.parse(delimited(told)))))
            except DecodeError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1], change
    assert "do not fit together" not in outcomes[0]
