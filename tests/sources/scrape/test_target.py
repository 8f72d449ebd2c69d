from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sanso.exposition.page import HistogramWish
from sanso.model.labels import labels_of
from sanso.sources.scrape.relabel import RelabelRule
from sanso.sources.scrape.settings import ScrapeJob, TargetGroup
from sanso.sources.scrape.target import Target, populate

JOB = ScrapeJob("web", interval_ms=15_000, timeout_ms=10_000)


def group(*addresses: str, **labels: str) -> TargetGroup:
    return TargetGroup("test", tuple((("__address__", address),) for address in addresses), labels_of(labels))


def only(job: ScrapeJob, *groups: TargetGroup) -> Target:
    found = populate(job, groups)
    assert not found.problems
    (target,) = found.targets.values()
    return target


def test_a_plain_target() -> None:
    target = only(JOB, group("h:1", zone="a"))
    assert dict(target.labels) == {"instance": "h:1", "job": "web", "zone": "a"}
    assert target.url == "http://h:1/metrics"
    assert dict(target.discovered) == {
        "__address__": "h:1",
        "__metrics_path__": "/metrics",
        "__scheme__": "http",
        "__scrape_interval__": "15s",
        "__scrape_timeout__": "10s",
        "job": "web",
        "zone": "a",
    }


def test_labels_steer_the_address() -> None:
    job = dataclasses.replace(JOB, params=(("module", ("x", "y")), ("a b", ("1",))))
    steer = {"__scheme__": "https", "__metrics_path__": "/probe me", "__param_module": "z", "__scrape_interval__": "1m"}
    target = only(job, group("h:1", **steer, __meta_x="m", __tmp="t", job="other"))
    # The job's own parameters go before what discovery says of them; relabelling may still change them.
    assert target.url == "https://h:1/probe%20me?a+b=1&module=x&module=y"
    assert (target.interval_ms, target.timeout_ms) == (60_000, 10_000)
    assert dict(target.labels) == {"instance": "h:1", "job": "other"}


def test_the_blackbox_idiom() -> None:
    rules = (
        RelabelRule(source_labels=("__address__",), target_label="__param_target"),
        RelabelRule(source_labels=("__param_target",), target_label="instance"),
        RelabelRule(target_label="__address__", replacement="exporter:9115"),
    )
    job = dataclasses.replace(JOB, relabel=rules, metrics_path="/probe", params=(("module", ("http_2xx",)),))
    target = only(job, group("example.org"))
    assert target.url == "http://exporter:9115/probe?module=http_2xx&target=example.org"
    assert dict(target.labels) == {"instance": "example.org", "job": "web"}


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({"__address__": ""}, "no address"),
        ({"__address__": "h/x"}, "not a valid hostname"),
        ({"__scheme__": "ftp"}, "invalid scheme"),
        ({"__scrape_interval__": "often"}, "is not a duration"),
        ({"__scrape_interval__": "0s"}, "cannot be 0"),
        ({"__scrape_timeout__": "1h"}, "timeout cannot be greater"),
    ],
)
def test_what_cannot_be_a_target_is_said(labels: dict[str, str], problem: str) -> None:
    own = labels_of({"__address__": "h:1", **labels})
    found = populate(JOB, [TargetGroup("test", (own,))])
    assert not found.targets
    assert problem in found.problems[0]


def test_dropped_targets_are_remembered_and_equal_ones_are_one() -> None:
    rules = (RelabelRule(action="drop", source_labels=("zone",), regex="b"),)
    job = dataclasses.replace(JOB, relabel=rules)
    found = populate(job, [group("h:1", "h:1", zone="a"), group("h:2", zone="b"), group("h:1", zone="a")])
    assert len(found.targets) == 1
    assert [dict(labels)["__address__"] for labels in found.dropped] == ["h:2"]


@pytest.mark.parametrize("change", [{"zone": "b"}, {"__param_x": "1"}, {"__scheme__": "https"}])
def test_another_target_has_another_key(change: dict[str, Any]) -> None:
    assert only(JOB, group("h:1", zone="a")).key != only(JOB, group("h:1", **{"zone": "a", **change})).key
    assert only(JOB, group("h:1", zone="a")).key == only(JOB, group("h:1", zone="a")).key


def test_relabelling_says_of_one_target_what_is_wanted_of_its_histograms() -> None:
    rules = (
        RelabelRule(source_labels=("kind",), target_label="__scrape_native_histograms__", replacement="$1"),
        RelabelRule(
            source_labels=("__always_scrape_classic_histograms__",), target_label="told", replacement="always $1"
        ),
    )
    job = ScrapeJob("j", histograms=HistogramWish(classic=True), relabel=rules)
    kinds = ("T", "true", "0", "perhaps")
    targets = tuple(labels_of({"__address__": f"h:{n}", "kind": kind}) for n, kind in enumerate(kinds))
    found = populate(job, [TargetGroup("test", targets)])
    assert [target.histograms for target in found.targets.values()] == [None, None, HistogramWish(False, classic=True)]
    assert found.problems == ["test, target 3: __scrape_native_histograms__: true or false is expected, not 'perhaps'"]
    assert {dict(target.labels)["told"] for target in found.targets.values()} == {"always true"}
    plain = populate(ScrapeJob("j"), [TargetGroup("test", targets[:1])])
    (target,) = plain.targets.values()
    assert not any("histogram" in name for name, _ in (*target.discovered, *target.labels))
