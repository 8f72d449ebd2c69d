"""Classic histograms converted, whichever format they come in: the same native ones come of them."""

from __future__ import annotations

import math

import pytest

from sanso.exposition.custom_buckets import CustomBuckets, custom_of
from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.page import HistogramWish, Page
from sanso.exposition.parse import TextParser
from sanso.exposition.protobuf import ProtobufParser
from sanso.model.errors import DecodeError
from sanso.model.frame import is_stale
from sanso.model.labels import render
from sanso.model.native_histogram import CUSTOM_SCHEMA, Hint, NativeHistogram
from tests.exposition.metric_families import GAUGE_HISTOGRAM, HISTOGRAM, delimited, exponential
from tests.exposition.test_protobuf import classic, histograms, numbers

CONVERT = HistogramWish(native=False, custom=True)
KEEP = HistogramWish(native=False, custom=True, classic=True)
TEXT = """# TYPE h_seconds histogram
h_seconds_bucket{job="x",le="1"} 1
h_seconds_bucket{job="x",le="1e6"} 3
h_seconds_bucket{job="x",le="+Inf"} 4
h_seconds_sum{job="x"} 2.5
h_seconds_count{job="x"} 4
h_seconds_created{job="x"} 7
# TYPE g gauge
g_bucket{le="1"} 1
g 2
"""
OPENMETRICS = (
    "# TYPE h_seconds histogram\n"
    'h_seconds_bucket{job="x",le="1.0"} 1 # {trace_id="old"} 0.5\n'
    'h_seconds_bucket{job="x",le="1e+06"} 3 # {trace_id="t"} 7 12.5\n'
    'h_seconds_bucket{job="x",le="+Inf"} 4\nh_seconds_count{job="x"} 4\nh_seconds_sum{job="x"} 2.5\n'
    '# TYPE p gaugehistogram\np_bucket{le="+Inf"} 1\np_gcount 1\np_gsum 1\n# EOF\n'
)
EXPECTED = NativeHistogram(CUSTOM_SCHEMA, 4.0, 2.5, positive=((0, 1.0), (1, 2.0), (2, 1.0)), bounds=(1.0, 1e6))


def converted(text: str, wish: HistogramWish = CONVERT) -> Page:
    return CustomBuckets(wish).converted(TextParser().parse(text.encode()))


def test_text() -> None:
    page = converted(TEXT)
    assert histograms(page) == {'h_seconds{job="x"}': EXPECTED}
    assert numbers(page) == {'h_seconds_created{job="x"}': 7.0, 'g_bucket{le="1"}': 1.0, "g": 2.0}
    assert (page.samples, page.histograms) == (4, 1)
    kept = converted(TEXT, KEEP)
    assert histograms(kept) == histograms(page)
    assert numbers(kept) == numbers(TextParser().parse(TEXT.encode()))
    assert kept.samples == 9


def test_open_metrics_with_its_exemplars() -> None:
    page = CustomBuckets(CONVERT).converted(OpenMetricsParser().parse(OPENMETRICS.encode()))
    assert histograms(page) == {'h_seconds{job="x"}': EXPECTED}
    assert set(numbers(page)) == {'p_bucket{le="+Inf"}', "p_gcount", "p_gsum"}
    ((series, value, time),) = [(render(each.series), each.value, each.time_ms) for each in page.exemplars]
    assert (series, value, time) == ('h_seconds{job="x"}', 7.0, 12_500)


@pytest.mark.parametrize("kind", [HISTOGRAM, GAUGE_HISTOGRAM])
def test_protobuf(kind: int) -> None:
    told = classic(kind)
    page = ProtobufParser(wish=CONVERT).parse(delimited(told))
    (found,) = histograms(page).values()
    assert found == NativeHistogram(**{**vars(EXPECTED), "hint": Hint.GAUGE if kind == GAUGE_HISTOGRAM else 0})
    assert numbers(page) == {}
    assert len(numbers(ProtobufParser(wish=KEEP).parse(delimited(told)))) == 5
    told.metric[0].histogram.sample_count = 2
    with pytest.raises(DecodeError, match="do not rise"):
        ProtobufParser(wish=CONVERT).parse(delimited(told))


def test_protobuf_with_native_parts() -> None:
    told = classic()
    exponential(told.metric[0].histogram)
    for wish, schema, series in (
        (HistogramWish(custom=True), 3, 0),
        (HistogramWish(custom=True, classic=True), 3, 5),
        (CONVERT, CUSTOM_SCHEMA, 0),
        (KEEP, CUSTOM_SCHEMA, 5),
    ):
        page = ProtobufParser(wish=wish).parse(delimited(told))
        ((found,), plain) = (histograms(page).values(), numbers(page))
        assert (found.schema, len(plain)) == (schema, series)


def test_a_page_that_is_the_same_again_keeps_its_columns() -> None:
    parser, custom = TextParser(), CustomBuckets(CONVERT)
    first = custom.converted(parser.parse(TEXT.encode()))
    again = custom.converted(parser.parse(TEXT.replace(" 4\n", " 5\n").encode()))
    assert again.row.columns is first.row.columns
    (found,) = histograms(again).values()
    assert (found.count, found.positive[-1]) == (5.0, (2, 2.0))


def test_one_that_contradicts_itself_has_no_sample() -> None:
    parser, custom = TextParser(), CustomBuckets(CONVERT)
    first = custom.converted(parser.parse(TEXT.encode()))
    for wrong in (('x"} 4', 'x"} 9'), ('1e6"} 3', '1e6"} 0'), ('le="1"} 1', 'le="1"} NaN')):
        page = custom.converted(parser.parse(TEXT.replace(*wrong).encode()))
        assert page.row.columns is first.row.columns
        assert is_stale(page.row.values[-page.parts :]).all()
        assert (page.histograms, page.missing, page.samples) == (0, 1, 3)


def test_what_may_be_missing() -> None:
    only_buckets = '# TYPE h histogram\nh_bucket{le="2"} 3\nh_bucket{le="1"} 1\nh_bucket{le="x"} 5\n'
    assert histograms(converted(only_buckets)) == {
        "h": NativeHistogram(CUSTOM_SCHEMA, 3.0, 0.0, positive=((0, 1.0), (1, 2.0)), bounds=(1.0, 2.0))
    }
    assert numbers(converted(only_buckets)) == {'h_bucket{le="x"}': 5.0}
    only_count = "# TYPE h histogram\nh_count 3\nh_sum 4\n"
    assert histograms(converted(only_count)) == {"h": NativeHistogram(CUSTOM_SCHEMA, 3.0, 4.0, positive=((0, 3.0),))}


def test_times_are_those_of_the_series() -> None:
    timed = TEXT.replace(" 2.5\n", " 2.5 9000\n").replace(" 1\n", " 1 9000\n").replace(" 3\n", " 3 9000\n")
    page = converted(timed.replace(" 4\n", " 4 9000\n"))
    assert page.times is not None
    assert set(page.times[-page.parts :].tolist()) == {9000}


def test_too_many_buckets_fail_the_page() -> None:
    few = HistogramWish(custom=True, most_buckets=2)
    with pytest.raises(DecodeError, match="bucket limit exceeded: 3 buckets, limit 2"):
        converted(TEXT, few)
    assert custom_of([1.0, math.inf], [0.0, 7.0], 7.0, 1.0, few).positive == ((1, 7.0),)


def test_a_family_that_becomes_a_histogram_is_converted_from_then_on() -> None:
    parser, custom = TextParser(), CustomBuckets(CONVERT)
    other = TEXT.replace("h_seconds histogram", "h_seconds untyped").replace('le="1"', 'le="1.0"')
    assert histograms(custom.converted(parser.parse(other.replace("1e6", "1e+06").encode()))) == {}
    assert len(histograms(custom.converted(parser.parse(TEXT.encode())))) == 1
