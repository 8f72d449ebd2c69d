"""Series are made once, checked, and limited."""

from __future__ import annotations

import pytest

from sanso.sdk.otlp_encoding import Point
from sanso.sdk.registry import OVERFLOW, Registry
from sanso.sdk.sketch import Sketch


def registry(most: int = 2000, **common: str) -> Registry:
    return Registry(lambda: 1_000, common, most)


def points(of: Registry, name: str) -> dict[tuple[tuple[str, str], ...], float | Sketch]:
    found: list[Point] = [point for metric in of.metrics() if metric.name == name for point in metric.points]
    return {point.labels: point.value for point in found}


def test_an_instrument_is_made_once_whatever_the_order_of_its_labels() -> None:
    made = registry()
    assert made.counter("a_total", {"x": 1, "y": "2"}) is made.counter("a_total", {"y": 2, "x": "1"})
    assert made.counter("a_total", {"x": ""}) is made.counter("a_total", {})


def test_common_labels_stand_on_every_series() -> None:
    made = registry(zone="b")
    made.counter("a_total", {"x": 1}).add(2)
    made.fold()
    assert points(made, "a_total") == {(("x", "1"), ("zone", "b")): 2.0}
    assert points(made, "sanso_sdk_overflow_total") == {(("zone", "b"),): 0.0}


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "größe"])
def test_a_wrong_metric_name_is_refused_with_advice(name: str) -> None:
    with pytest.raises(ValueError, match="no metric name: use"):
        registry().counter(name, {})


@pytest.mark.parametrize("label", ["1a", "a-b", "__name__", "größe"])
def test_a_wrong_label_name_is_refused_with_advice(label: str) -> None:
    with pytest.raises(ValueError, match="no label name: use"):
        registry().gauge("a", {label: "x"})


def test_one_name_has_one_kind() -> None:
    made = registry()
    made.counter("a_total", {})
    with pytest.raises(ValueError, match="is a counter already"):
        made.gauge("a_total", {})
    with pytest.raises(ValueError, match="is a counter already"):
        made.histogram("a_total", {"new": "labels"})


def test_series_over_the_limit_go_into_one_and_are_counted() -> None:
    made = registry(30)
    assert made.limit_a_name == 3
    for user in range(10):
        made.counter("a_total", {"user": user}).add(1)
    made.fold()
    assert points(made, "a_total") == {(("user", "0"),): 1, (("user", "1"),): 1, (("user", "2"),): 1, OVERFLOW: 7}
    assert points(made, "sanso_sdk_overflow_total") == {(): 7.0}


def test_all_names_together_are_limited_too() -> None:
    made = registry(20)
    for name in range(40):
        for user in range(3):
            made.counter(f"a{name}_total", {"user": user}).add(1)
            made.histogram(f"h{name}", {"user": user}).record(1)
            made.gauge(f"g{name}", {"user": user}).add(1)
    made.fold()
    series = [point for metric in made.metrics() if metric.name[0] in "ahg" for point in metric.points]
    admitted = [point for point in series if point.labels != OVERFLOW]
    assert 0 < len(admitted) <= 20
    # Every name that was admitted has at most one more: the series where the rest goes.
    assert len(series) <= 20 + 20
    assert points(made, "sanso_sdk_overflow_total") == {(): 40 * 9.0 - len(admitted)}


def test_a_child_begins_again() -> None:
    made = registry(10)
    counter, gauge = made.counter("a_total", {}), made.gauge("g", {})
    counter.add(3)
    gauge.set(3)
    made.fold()
    made.counter("a_total", {"over": 1})
    counter.add(1)
    made.reset()
    made.fold()
    assert points(made, "a_total")[()] == 0
    assert points(made, "g") == {}
    assert points(made, "sanso_sdk_overflow_total") == {(): 0.0}
    assert made.epoch == 1
    counter.add(1)
    made.fold()
    assert points(made, "a_total")[()] == 1
