"""OpenMetrics 1.0: each demand of the standard by a page that keeps it and pages that break it."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Metric, Summary
from prometheus_client.openmetrics import exposition as client_exposition
from prometheus_client.openmetrics import parser as client_parser

from sanso.exposition.number_labels import NUMBER_LABELS, spelled
from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.page import Exemplar, Limits, Sample
from sanso.exposition.render_openmetrics import render_openmetrics
from sanso.model.errors import DecodeError
from sanso.model.frame import Family
from sanso.model.labels import NAME, Labels, labels_of, series_of
from tests.exposition import pages


def body(*lines: str) -> bytes:
    return "\n".join([*lines, "# EOF", ""]).encode()


def read(*lines: str) -> dict[Labels, tuple[float | str, int | None]]:
    return pages.told(OpenMetricsParser().parse(body(*lines)))


def client_families(text: str) -> list[Metric]:
    """As prometheus_client reads it; ValueError where it does not."""
    return list(client_parser.text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


BUCKETS = ('a_bucket{le="1.0"} 1', 'a_bucket{le="+Inf"} 2')
HISTOGRAM = ("# TYPE a histogram", *BUCKETS)
GAUGE_HISTOGRAM = ("# TYPE a gaugehistogram", *BUCKETS)
KEPT: list[tuple[str, ...]] = [
    (),
    ("a 1",),
    ("a{} 1",),
    ("a 1 -1.5",),
    ("# TYPE a gauge",),  # a family without a metric
    ("# HELP a ", "# TYPE a unknown", "# UNIT a ", "a 1"),
    ("# TYPE a_seconds gauge", "# UNIT a_seconds seconds", "a_seconds 1"),
    ("# TYPE a gauge", "a NaN", "# TYPE b gauge", "b -Inf"),
    ('a{b="c"} 1', 'a{b="d"} 1'),
    ("a 1 1", "a 2 2", "a 3 2", "a 4 3.5"),  # points of one metric, their times not falling
    ("# TYPE a counter", "a_total 0", "a_created 1.5"),
    ("# TYPE a counter", 'a_total 1 # {trace="x"} 0.5 1.5'),
    ("# TYPE a stateset", 'a{a="on"} 1', 'a{a="off"} 0'),
    ("# TYPE a info", 'a_info{b="c"} 1'),
    (*HISTOGRAM, "a_count 2", "a_sum 1.5", "a_created 3"),
    HISTOGRAM,
    ("# TYPE a histogram", 'a_bucket{le="-1.0"} 1', 'a_bucket{le="+Inf"} 2'),
    ("# TYPE a histogram", 'a_bucket{le="1.0"} 1 # {} 0.5', 'a_bucket{le="+Inf"} 2 # {b="c"} 7'),
    ("# TYPE a histogram", 'a_bucket{le="1e-1"} 1', 'a_bucket{le="+Inf"} 2'),  # not canonical, not to be refused
    (*GAUGE_HISTOGRAM, "a_gcount 2", "a_gsum 1.5"),
    ("# TYPE a gaugehistogram", 'a_bucket{le="-1.0"} 1', 'a_bucket{le="+Inf"} 2', "a_gcount 2", "a_gsum -3"),
    ("# TYPE a summary", 'a{quantile="0"} NaN', 'a{quantile="1.0"} 2', "a_count 2", "a_sum 3", "a_created 1"),
    ("# TYPE a summary", "a_count 2"),
    ("# TYPE a unknown", "a 1"),
    ("vllm:requests 1", ":a 2"),
    ("# TYPE a counter", f'a_total 1 # {{b="{"é" * 127}"}} 1'),
]
BROKEN: dict[str, list[tuple[str, ...]]] = {
    "blanks, empty lines, carriage returns, other comments": [
        ("a  1",),
        (" a 1",),
        ("a 1 ",),
        ("a\t1",),
        ("a 1  2",),
        ('a{b="c" } 1',),
        ('a{b ="c"} 1',),
        ("", "a 1"),
        ("a 1\r",),
        ("\ufeffa 1",),
        ("# a comment",),
        ("#", "a 1"),
        ("#TYPE a gauge",),
        ("# TYPE  a gauge",),
        ("# HELP a",),
        ("# EOF", "a 1"),
        ("# EOF",),
        ('a {b="c"} 1',),
        ('a{b="c"}1',),
        ("# type a gauge",),
        ("# EOF ",),
    ],
    "names and labels": [
        ("1a 1",),
        ("a.b 1",),
        ('{"a"} 1',),
        ('a{"b"="c"} 1',),
        ('a{b="c",b="d"} 1',),
        ('a{b="c",} 1',),
        ('a{,b="c"} 1',),
        ("a{b} 1",),
        ("a{b=c} 1",),
        ('a{b="c} 1',),
        ('a{1b="c"} 1',),
        ('a{b:c="d"} 1',),
        ('a{__name__="b"} 1',),
        ("{} 1",),
        ("# TYPE a.b gauge",),
        ('a{b="c"d="e"} 1',),
    ],
    "numbers and times": [
        ("a",),
        ("a ",),
        ("a x",),
        ("a 0x1",),
        ("a 1_0",),
        ("a +NaN",),
        ("a 1e999",),
        ("a .",),
        ("a 1 x",),
        ("a 1 NaN",),
        ("a 1 Inf",),
        ("a 1 1 1",),
        ("a 1 1_0",),
        ("a １",),
    ],
    "points of a metric": [
        ("a 1", "a 2"),
        ("a 1 2", "a 2 1"),
        ("a 1 2", "a 2"),
        ("a 1", "a 2 2"),
        ("# TYPE a gauge", "a 1", "a 2"),
        ("# TYPE a summary", "a_count 1", "a_sum 1 5"),
    ],
    "metadata: one of a kind, before the samples, of a known type": [
        ("# TYPE a gauge", "# TYPE a gauge"),
        ("# HELP a b", "# HELP a c"),
        ("# UNIT a_s s", "# UNIT a_s s"),
        ("a 1", "# TYPE a gauge"),
        ("a 1", "# HELP a b"),
        ("# TYPE a untyped",),
        ("# TYPE a Gauge",),
        ("# TYPE a ",),
        ("# UNIT a s",),
        ("# UNIT as s",),
        ("# TYPE a_s info", "# UNIT a_s s"),
        ("# UNIT a_s s", "# TYPE a_s stateset"),
    ],
    "families are unique, do not clash, stand together": [
        ("# TYPE a gauge", "# TYPE b gauge", "# HELP a x"),
        ("# TYPE a gauge", "a 1", "# TYPE b gauge", "b 1", "# TYPE a gauge"),
        ('a{b="1"} 1', "c 1", 'a{b="2"} 1'),
        ("# TYPE a counter", "a_total 1", "# TYPE a_total gauge"),
        ("# TYPE a_created gauge", "# TYPE a counter", "a_total 1"),
        ("# TYPE a counter", "a_total 1", "a 1"),
        (*HISTOGRAM, "# TYPE a_sum gauge"),
        ("# TYPE a info", "a_info 1", "# TYPE a_info gauge"),
        ("# TYPE a summary", "a_count 1", "a_count_x 1", "a_sum 1"),
    ],
    "metrics stand together": [
        ("# TYPE a gauge", 'a{b="1"} 1 1', 'a{b="2"} 1 1', 'a{b="1"} 1 2'),
        (
            "# TYPE a histogram",
            'a_bucket{b="1",le="+Inf"} 1',
            'a_bucket{b="2",le="+Inf"} 1',
            'a_count{b="1"} 1',
            'a_sum{b="1"} 1',
        ),
    ],
    "counters": [
        ("# TYPE a counter", "a 1"),
        ("# TYPE a counter", "a_created 1"),
        ("# TYPE a counter", "a_total NaN"),
        ("# TYPE a counter", "a_total -1"),
    ],
    "state sets": [
        ("# TYPE a stateset", "a 1"),
        ("# TYPE a stateset", 'a{b="c"} 1'),
        ("# TYPE a stateset", 'a{a="on"} 2'),
        ("# TYPE a stateset", 'a{a="on"} NaN'),
    ],
    "infos": [
        ("# TYPE a info", "a 1"),
        ("# TYPE a info", "a_info 0"),
        ("# TYPE a info", "a_info 2"),
        ("# TYPE a info", "a_info NaN"),
    ],
    "histograms": [
        ("# TYPE a histogram", BUCKETS[0]),
        ("# TYPE a histogram", "a_count 1", "a_sum 1"),
        ("# TYPE a histogram", *reversed(BUCKETS)),
        ("# TYPE a histogram", 'a_bucket{le="1.0"} 3', BUCKETS[1]),
        ("# TYPE a histogram", "a_bucket 1"),
        ("# TYPE a histogram", 'a_bucket{le="x"} 1'),
        ("# TYPE a histogram", 'a_bucket{le="NaN"} 1', BUCKETS[1]),
        ("# TYPE a histogram", BUCKETS[0], 'a_bucket{le="1"} 1', BUCKETS[1]),
        ("# TYPE a histogram", BUCKETS[0], 'a_bucket{le="Inf"} 2'),
        (*HISTOGRAM, "a_count 2"),
        (*HISTOGRAM, "a_sum 2"),
        (*HISTOGRAM, "a_count 3", "a_sum 2"),
        (*HISTOGRAM, "a_count 2", "a_sum NaN"),
        (*HISTOGRAM, "a_count 2", "a_sum -1"),
        (*HISTOGRAM, "a 2"),
        ("# TYPE a histogram", 'a_bucket{le="+Inf"} 1.5'),
        ("# TYPE a histogram", 'a_bucket{le="+Inf"} NaN'),
        ("# TYPE a histogram", 'a_bucket{le="+Inf"} -1'),
        ("# TYPE a histogram", 'a_bucket{le="+Inf"} +Inf'),
        ("# TYPE a histogram", 'a_bucket{le="-1.0"} 1', BUCKETS[1], "a_count 2", "a_sum 1"),
        (*HISTOGRAM, 'a_created{le="1.0"} 1'),
    ],
    "gauge histograms": [
        ("# TYPE a gaugehistogram", BUCKETS[0]),
        (*GAUGE_HISTOGRAM, "a_gcount 2"),
        (*GAUGE_HISTOGRAM, "a_gsum 2"),
        (*GAUGE_HISTOGRAM, "a_gcount 3", "a_gsum 2"),
        (*GAUGE_HISTOGRAM, "a_gcount 2", "a_gsum NaN"),
        (*GAUGE_HISTOGRAM, "a_gcount 2", "a_gsum -1"),
    ],
    "summaries": [
        ("# TYPE a summary", "a 1"),
        ("# TYPE a summary", 'a{quantile="1.5"} 1'),
        ("# TYPE a summary", 'a{quantile="-0.5"} 1'),
        ("# TYPE a summary", 'a{quantile="x"} 1'),
        ("# TYPE a summary", 'a{quantile="0.5"} -1'),
        ("# TYPE a summary", "a_count NaN"),
        ("# TYPE a summary", "a_count 1.5"),
        ("# TYPE a summary", "a_count -1"),
        ("# TYPE a summary", "a_sum -1"),
        ("# TYPE a summary", "a_sum NaN"),
        ("# TYPE a summary", 'a_sum{quantile="0.5"} 1'),
    ],
    "exemplars": [
        ("a 1 # {} 1",),
        ("# TYPE a gauge", "a 1 # {} 1"),
        ("# TYPE a_bucket gauge", "a_bucket 1 # {} 1"),
        ("# TYPE a summary", "a_count 1 # {} 1"),
        ("a_total 1 # {} 1",),
        ("# TYPE a counter", "a_total 1 # {}"),
        ("# TYPE a counter", "a_total 1 # 1"),
        ("# TYPE a counter", "a_total 1 #{} 1"),
        ("# TYPE a counter", "a_total 1 # {} x"),
        ("# TYPE a counter", "a_total 1 # {} 1e999"),
        ("# TYPE a counter", "a_total 1 # {} 1 NaN"),
        ("# TYPE a counter", 'a_total 1 # {b="c",} 1'),
        ("# TYPE a counter", f'a_total 1 # {{b="{"é" * 128}"}} 1'),
        ("# TYPE a counter", "a_total 1 # {} 1 1 1"),
        ("# TYPE a counter", "a_total 1", "a_created 1 # {} 1"),
        ("# TYPE a histogram", 'a_bucket{le="1.0"} 1 # {} 1.5', BUCKETS[1]),
        ("# TYPE a counter", "a_total 1 # {} 1 # {} 1"),
    ],
}


@pytest.mark.parametrize("lines", KEPT)
def test_what_the_standard_allows(lines: tuple[str, ...]) -> None:
    page = OpenMetricsParser().parse(body(*lines))
    assert len(page.row.values) == len({line.split(" ")[0].replace("{}", "") for line in lines if line[0] != "#"})
    client_families(body(*lines).decode())


@pytest.mark.parametrize("lines", [lines for group in BROKEN.values() for lines in group])
def test_what_the_standard_forbids(lines: tuple[str, ...]) -> None:
    with pytest.raises(DecodeError, match=r"^line \d+: "):
        OpenMetricsParser().parse(body(*lines))


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"a 1\n", b"a 1\n# EOF\n\n", b"a 1\n# EOF\na 2\n", b"# EOF\r\n", b"a 1\n#EOF"]
)
def test_the_end_is_told(text: bytes) -> None:
    with pytest.raises(DecodeError, match=r"^line \d: "):
        OpenMetricsParser().parse(text)
    assert OpenMetricsParser().parse(b"# EOF").row.columns.labels == ()


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        (("a 1", "# TYPE b gauge", "b x"), 3),
        (("a 1", "# TYPE b info", 'b_info{c="1"} 1', 'b_info{c="2"} 3'), 4),
        (("a 1", "# TYPE b gauge", "# TYPE b gauge", "b 1"), 3),
        (("a 1", "# HELP b x", "b 1", "# TYPE a gauge", "a 2"), 4),
        (("# TYPE a counter", 'a_total{b="1"} 1', "a_total 1 # {} x"), 3),
    ],
)
def test_the_line_is_named(lines: tuple[str, ...], line: int) -> None:
    with pytest.raises(DecodeError, match=f"^line {line}: "):
        OpenMetricsParser().parse(body(*lines))


def test_a_time_beyond_reason_is_the_last_there_is() -> None:
    assert read("a 1 12345678901234567890.5", "b 1 -1e300") == {
        series_of("a"): (1.0, 9 * 10**18),
        series_of("b"): (1.0, -9 * 10**18),
    }


def test_families_and_samples() -> None:
    page = OpenMetricsParser().parse(
        body(
            "# TYPE a_bytes counter",
            "# UNIT a_bytes bytes",
            r'# HELP a_bytes say \"hi\"\\ "\n.',
            r'a_bytes_total{b="\\\"\n"} 3 1.5',
            "# TYPE b info",
            'b_info{v="1"} 1',
            "# TYPE c gaugehistogram",
            'c_bucket{le="+Inf"} 2',
            "plain 1",
        )
    )
    assert page.families == (
        Family("a_bytes_total", "counter", 'say "hi"\\ "\n.', "bytes"),
        Family("b_info", "info", ""),
        Family("c", "histogram", ""),
    )
    assert pages.told(page) == {
        series_of("a_bytes_total", b='\\"\n'): (3.0, 1500),
        series_of("b_info", v="1"): (1.0, None),
        series_of("c_bucket", le="+Inf"): (2.0, None),
        series_of("plain"): (1.0, None),
    }


def test_exemplars() -> None:
    lines = (
        "# TYPE a counter",
        'a_total{b="c"} 1 2.5 # {trace_id="x",d="}#"} 0.5 1.25',
        "# TYPE d counter",
        "d_total 1 # {} -3",
    )
    page = OpenMetricsParser().parse(body(*lines))
    assert page.exemplars == (
        Exemplar(series_of("a_total", b="c"), (("d", "}#"), ("trace_id", "x")), 0.5, 1250),
        Exemplar(series_of("d_total"), (), -3.0, None),
    )
    assert read(*lines)[series_of("a_total", b="c")] == (1.0, 2500)


def test_of_several_points_the_last_counts_and_of_one_millisecond_the_earliest() -> None:
    assert read("a 1 1", "a 2 2", "a 3 2.0001", "a 4 2.0002") == {series_of("a"): (2.0, 2000)}
    assert read("a 1 1", "a 2 2") == {series_of("a"): (2.0, 2000)}
    assert OpenMetricsParser().parse(body("a 1 1", "a 2 2", "b 1")).duplicates == 1


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(samples=1), "line 2: 2 samples, more than the limit of 1"),
        (Limits(labels=1), "line 2: more labels than the limit of 1"),
        (Limits(label_value_bytes=2), "line 2: the value of label 'b' is longer than the limit of 2 bytes"),
        (Limits(body_bytes=9), "line 2: the page has 23 bytes, more than the limit of 9"),
    ],
)
def test_limits_are_named_with_the_line(limits: Limits, message: str) -> None:
    with pytest.raises(DecodeError, match=f"^{message}$"):
        OpenMetricsParser(limits).parse(body("a 1", 'a{b="cde"} 1'))


POOL = [
    *(line for lines in KEPT for line in lines),
    *(line for group in BROKEN.values() for lines in group for line in lines),
]
LINES = st.lists(st.sampled_from(POOL), max_size=5)


@given(st.lists(LINES | st.sampled_from(KEPT), min_size=2, max_size=5))
def test_what_was_read_before_changes_nothing(bodies: list[list[str]]) -> None:
    parser = OpenMetricsParser()
    for lines in bodies:
        assert outcome(parser, body(*lines)) == outcome(OpenMetricsParser(), body(*lines))


def outcome(parser: OpenMetricsParser, text: bytes) -> object:
    try:
        page = parser.parse(text)
    except DecodeError as error:
        return str(error)
    return pages.told(page), page.families, page.exemplars, page.duplicates


def test_a_repeated_page_keeps_its_columns_and_its_rules() -> None:
    parser = OpenMetricsParser()
    first = parser.parse(body(*HISTOGRAM))
    again = parser.parse(body(HISTOGRAM[0], 'a_bucket{le="1.0"} 5', 'a_bucket{le="+Inf"} 6'))
    assert again.row.columns is first.row.columns
    for wrong in ("7", "-1", "1.5", "NaN", "x", "1 1"):
        with pytest.raises(DecodeError, match=r"^line 3: |^line 2: "):
            parser.parse(body(HISTOGRAM[0], f'a_bucket{{le="1.0"}} {wrong}', 'a_bucket{le="+Inf"} 6'))
    assert parser.parse(body("# TYPE b gauge", "b 1", *HISTOGRAM)).row.values.tolist() == [1, 1, 2]


STRICTER = (
    "a counter without its _total",
    "stands twice",
    "have a label quantile",
    "a number are expected",
    "'1e999' is no",
)
"""Where prometheus_client lets pages pass that the standard forbids (names in quotes are not of 1.0 yet)."""
WELL_FORMED = [
    *(line for lines in KEPT for line in lines),
    *(line for group in list(BROKEN.values())[3:] for lines in group for line in lines),
]
"""Lines that alone are right: of what is malformed prometheus_client lets some pass."""


@settings(max_examples=300)
@given(st.lists(st.sampled_from(WELL_FORMED), max_size=5, unique=True) | st.sampled_from(KEPT).flatmap(st.permutations))
def test_prometheus_client_takes_the_same_pages(lines: list[str]) -> None:
    ours = outcome(OpenMetricsParser(), body(*lines))
    try:
        theirs = client_families(body(*lines).decode())
    except ValueError as error:
        if isinstance(ours, str):
            return
        raise AssertionError(f"prometheus_client refuses it: {error}") from error
    if isinstance(ours, str):
        assume(not any(rule in ours for rule in STRICTER))
        series = [line.partition(" ")[0] for line in lines if not line.startswith("#")]
        # A bucket that stands twice begins another point: prometheus_client does not ask whether the first was whole.
        assume(len(set(series)) == len(series) or "without its +Inf bucket" not in ours)
    assert not isinstance(ours, str), ours
    told = {
        spelled(labels_of({NAME: sample.name, **sample.labels}), NUMBER_LABELS.get(family.type, ""), strict=True)
        for family in theirs
        for sample in family.samples
    }
    assert set(read(*lines)) == told


def test_prometheus_clients_own_page() -> None:
    registry = CollectorRegistry()
    Counter("orders", 'How "many"\\ \n.', ["kind"], registry=registry).labels('c"a\\\nd').inc(3, {"trace_id": "x"})
    Gauge("depth", "", registry=registry).set(-math.inf)
    Histogram("wait_seconds", "h", unit="seconds", registry=registry).observe(0.3, {"trace_id": "y"})
    Summary("size_bytes", "s", registry=registry).observe(7)
    Info("build", "b", registry=registry).info({"version": "1"})
    Enum("state", "e", states=["on", "off"], registry=registry).state("off")
    body_of = client_exposition.generate_latest
    page = OpenMetricsParser().parse(body_of(registry))  # type: ignore[no-untyped-call]
    told = pages.told(page)
    assert told[series_of("orders_total", kind='c"a\\\nd')] == (3.0, None)
    assert told[series_of("state", state="off")] == (1.0, None)
    assert [dict(exemplar.labels)["trace_id"] for exemplar in page.exemplars] == ["x", "y"]
    assert {(family.name, family.type, family.unit) for family in page.families} >= {
        ("orders_total", "counter", ""),
        ("wait_seconds", "histogram", "seconds"),
        ("build_info", "info", ""),
        ("state", "stateset", ""),
    }


TYPES = ["counter", "gauge", "histogram", "summary", "info", "stateset", "unknown"]
FAMILIES = st.lists(
    st.builds(Family, pages.names, st.sampled_from(TYPES), pages.texts, st.sampled_from(["", "seconds", "a"])),
    unique_by=lambda family: family.name,
    max_size=4,
)
WITH_SUFFIX = st.builds(
    str.__add__, st.sampled_from(["a", "b_a"]), st.sampled_from(["", "_total", "_bucket", "_info", "_sum"])
)
SAMPLES = st.lists(
    st.tuples(
        pages.series(pages.names | WITH_SUFFIX, pages.label_names | st.sampled_from(["le", "quantile", "a"])),
        pages.values,
        pages.times,
    ),
    unique_by=lambda sample: sample[0],
    max_size=8,
)


@given(SAMPLES, FAMILIES)
def test_what_is_rendered_is_read_back(samples: list[Sample], families: list[Family]) -> None:
    text = render_openmetrics(samples, {family.name: family for family in families})
    page = OpenMetricsParser().parse(text.encode())
    assert pages.told(page) == pages.meant(samples)
    assert text.endswith("# EOF\n")


def test_whole_families_keep_their_types() -> None:
    families = [
        Family("a_seconds", "histogram", "A.", "seconds"),
        Family("b_total", "counter", 'B "b"\n.'),
        Family("c_info", "info", "C."),
        Family("d", "summary", "D."),
        Family("e", "gauge", "E."),
    ]
    samples: list[Sample] = [
        (series_of("a_seconds_sum", x="1"), 1.0, None),
        (series_of("a_seconds_bucket", x="1", le="+Inf"), 2.0, None),
        (series_of("a_seconds_bucket", x="1", le="1"), 1.0, None),
        (series_of("a_seconds_count", x="1"), 2.0, None),
        (series_of("b_total"), 1.0, 1500),
        (series_of("c_info", v="1"), 1.0, None),
        (series_of("d", quantile="0.5"), 1.0, None),
        (series_of("d_count"), 1.0, None),
        (series_of("e"), math.nan, None),
    ]
    text = render_openmetrics(samples, {family.name: family for family in families})
    assert OpenMetricsParser().parse(text.encode()).families == tuple(families)
    assert text.startswith(
        '# TYPE a_seconds histogram\n# HELP a_seconds A.\n# UNIT a_seconds seconds\na_seconds_bucket{le="1",x="1"} 1\n'
    )
    client_families(text)


def test_names_beyond_the_standard_are_written_with_underscores() -> None:
    samples: list[Sample] = [
        (series_of("a.b", **{"c d": "e"}), 1.0, None),
        (series_of("a_b", c_d="e"), 2.0, None),
        (series_of("1é", **{"2": "x"}), 3.0, None),
    ]
    text = render_openmetrics(samples, {"a.b": Family("a.b", "gauge", "")})
    assert text == '# TYPE _1_ unknown\n_1_{_2="x"} 3\n# TYPE a_b gauge\na_b{c_d="e"} 1\n# EOF\n'
