"""The page of an application: exact text, strict readers, and names that collide."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.parse import TextParser
from sanso.model.labels import labels_of, series_of
from sanso.sdk.buckets import Buckets
from sanso.sdk.instruments import Kind, Labels
from sanso.sdk.otlp_encoding import Metric, Point
from sanso.sdk.page import render
from sanso.sdk.sketch import Sketch

BUCKETS = Buckets({"wait_seconds": (0.5, 1, 2.5e6), "a": (1,)})


def sketch(*values: float) -> Sketch:
    made = Sketch()
    made.add(list(values))
    return made


def metric(name: str, kind: Kind, *points: tuple[Labels, float | Sketch]) -> Metric:
    return Metric(name, kind, [Point(labels, 0, value) for labels, value in points])


METRICS = [
    metric("wait_seconds", "histogram", ((("route", "/a"),), sketch(0.25, 0.7, 1.0, 3.0))),
    metric("orders_total", "counter", ((("kind", 'c"a\\r\nd'),), 3.0), ((), 2.0)),
    metric("hits", "counter", ((), 1.0)),
    metric("depth", "gauge", ((), -math.inf)),
]
REST = """depth -Inf
# TYPE {hits} counter
hits_total 1
# TYPE {orders} counter
orders_total{{kind="c\\"a\\\\r\\nd"}} 3
orders_total 2
# TYPE wait_seconds histogram
wait_seconds_bucket{{route="/a",le="0.5"}} 1
wait_seconds_bucket{{route="/a",le="1.0"}} 3
wait_seconds_bucket{{route="/a",le="2.5e+06"}} 4
wait_seconds_bucket{{route="/a",le="+Inf"}} 4
wait_seconds_count{{route="/a"}} 4
wait_seconds_sum{{route="/a"}} 4.95
"""


def test_text() -> None:
    page = "# TYPE depth gauge\n" + REST.format(hits="hits_total", orders="orders_total")
    assert render(METRICS, BUCKETS, openmetrics=False) == page
    assert render([], BUCKETS, openmetrics=False) == ""


def test_openmetrics() -> None:
    page = "# TYPE depth gauge\n" + REST.format(hits="hits", orders="orders") + "# EOF\n"
    assert render(METRICS, BUCKETS, openmetrics=True) == page
    assert render([], BUCKETS, openmetrics=True) == "# EOF\n"


def test_names_that_collide_are_of_unknown_type_in_openmetrics() -> None:
    metrics = [
        metric("jobs", "gauge", ((), 1.0)),
        metric("jobs_total", "counter", ((), 2.0)),
        metric("a", "histogram", ((), sketch(1.0))),
        metric("a_count", "gauge", ((), 9.0)),
        metric("jobs", "counter", ((), 3.0)),
    ]
    page = OpenMetricsParser().parse(render(metrics, BUCKETS, openmetrics=True).encode())
    assert dict(zip(page.row.columns.labels, page.row.values.tolist(), strict=True)) == {
        series_of("a_bucket", le="1.0"): 1,
        series_of("a_bucket", le="+Inf"): 1,
        series_of("a_count"): 1,
        series_of("a_sum"): 1,
        series_of("jobs"): 1,
        series_of("jobs_total"): 2,
    }
    assert {family.name: family.type for family in page.families}["jobs_total"] == "unknown"


def test_a_sum_that_may_fall_is_not_told_to_openmetrics() -> None:
    metrics = [metric("a", "histogram", ((("le", "x"),), sketch(-3.0, 1.0)))]
    text = render(metrics, BUCKETS, openmetrics=False)
    assert text.splitlines()[-2:] == ['a_count{exported_le="x"} 2', 'a_sum{exported_le="x"} -2']
    assert len(OpenMetricsParser().parse(render(metrics, BUCKETS, openmetrics=True).encode()).row.values) == 2


NAMES = st.sampled_from(["a", "a_total", "a_count", "a_seconds", "b", "b_total", "b_created", "a_bucket"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
LABELS = st.dictionaries(st.sampled_from(["x", "le", "y"]), TEXTS, max_size=2).map(labels_of)
SKETCHES = st.lists(st.floats(-1e9, 1e9), max_size=5).map(lambda values: sketch(*values))


def metrics_of(kind: Kind, values: st.SearchStrategy[float] | st.SearchStrategy[Sketch]) -> st.SearchStrategy[Metric]:
    points = st.lists(st.tuples(LABELS, values), max_size=3)
    return st.builds(lambda name, found: metric(name, kind, *found), NAMES, points)


ANY = st.one_of(
    metrics_of("counter", st.floats(0, allow_nan=False, allow_infinity=False)),
    metrics_of("gauge", st.floats()),
    metrics_of("histogram", SKETCHES),
)


@given(st.lists(ANY, max_size=5))
def test_every_page_is_read_by_strict_readers(metrics: list[Metric]) -> None:
    strict = render(metrics, BUCKETS, openmetrics=True)
    OpenMetricsParser().parse(strict.encode())
    list(text_string_to_metric_families(strict))  # type: ignore[no-untyped-call]
    TextParser().parse(render(metrics, BUCKETS, openmetrics=False).encode())


@pytest.mark.parametrize(("bound", "text"), [(1e-5, "1e-05"), (0.1, "0.1"), (1, "1.0"), (1234567, "1.234567e+06")])
def test_bounds_are_canonical(bound: float, text: str) -> None:
    page = render([metric("a", "histogram", ((), sketch()))], Buckets({"a": (bound,)}), openmetrics=True)
    assert f'a_bucket{{le="{text}"}} 0\n' in page
