"""Native histograms of a target, from its page into the store: relabelled, limited and ended as whole series."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import pytest

from sanso.exposition.page import HistogramWish
from sanso.model.errors import SourceError
from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram
from sanso.promql.engine import PromEngine
from sanso.sources.scrape.relabel import RelabelRule
from sanso.sources.scrape.settings import ScrapeLimits
from tests.exposition.metric_families import CONTENT_TYPE, GAUGE, HISTOGRAM, delimited, exponential, family, metric
from tests.exposition.test_protobuf import NATIVE, classic
from tests.sources.scrape.kept import START, Scraped

TARGET = 'instance="h:1", job="j"'


def scraping(**job: Any) -> Scraped:
    return Scraped(**{"histograms": HistogramWish(), **job})


def native(name: str = "n", **labels: str) -> Any:
    found = family(name, HISTOGRAM)
    exponential(metric(found, **labels).histogram)
    return found


def observed(found: Any, count: int) -> None:
    """So many observations more in its last positive bucket."""
    held = found.metric[0].histogram
    held.positive_delta[2] += count
    held.sample_count += count


async def scrape(scraped: Scraped, *families: Any) -> None:
    await scraped.scrape(delimited(*families), CONTENT_TYPE)


def histograms(scraped: Scraped, expr: str, at_s: float) -> dict[str, NativeHistogram]:
    answer = PromEngine(scraped.store).instant(expr, START + round(at_s * 1000))
    return {
        ", ".join(f'{key}="{value}"' for key, value in labels): answer.histograms[row, 0]
        for row, labels in enumerate(answer.labels)
        if (row, 0) in answer.histograms
    }


def value(scraped: Scraped, expr: str, at_s: float) -> float:
    (found,) = PromEngine(scraped.store).instant(expr, START + round(at_s * 1000)).samples()
    return found[1]


async def test_a_histogram_is_one_sample_with_the_labels_of_its_target() -> None:
    scraped = scraping()
    told = native(x="y")
    gauge = family("g", GAUGE)
    metric(gauge).gauge.value = 1.0
    await scrape(scraped, told, gauge)
    observed(told, 4)
    await scrape(scraped, told, gauge)
    assert scraped.cycle.reading.error == ""
    assert scraped.figure("scrape_samples_scraped") == [2.0, 2.0]
    assert scraped.figure("scrape_samples_post_metric_relabeling") == [2.0, 2.0]
    assert scraped.figure("scrape_series_added") == [2.0, 0.0]
    assert histograms(scraped, "n", 0) == {f'__name__="n", {TARGET}, x="y"': NATIVE}
    assert value(scraped, "histogram_count(n)", 10) == 12.0
    assert value(scraped, "histogram_count(increase(n[15s]))", 10) > 4.0
    assert scraped.store.families()["n"].type == "histogram"


async def test_a_histogram_that_vanishes_ends_and_may_come_back() -> None:
    scraped = scraping()
    gauge = family("g", GAUGE)
    metric(gauge)
    for page in ((native(), gauge), (gauge,), (native(), gauge)):
        await scrape(scraped, *page)
    assert histograms(scraped, "n", 5)
    assert not histograms(scraped, "n", 15)
    assert histograms(scraped, "n", 25)
    await scraped.scrape(SourceError("no route"))
    assert not histograms(scraped, "n", 35)


async def test_a_bucket_that_vanishes_is_empty_and_the_histogram_goes_on() -> None:
    scraped = scraping()
    told = native()
    await scrape(scraped, told)
    held = told.metric[0].histogram
    del held.positive_span[1]
    del held.positive_delta[2]
    held.sample_count = 5
    await scrape(scraped, told)
    (found,) = histograms(scraped, "n", 15).values()
    assert (found.positive, found.count) == (((-2, 1.0), (-1, 2.0)), 5.0)
    assert value(scraped, "resets(n[15s])", 10) == 1.0


async def test_metric_relabelling_of_whole_histograms() -> None:
    rules = (
        RelabelRule(source_labels=("__name__",), regex="dropped", action="drop"),
        RelabelRule(regex="__hist.*", action="labeldrop"),
        RelabelRule(regex="(.*)", action="labelmap", replacement="$1"),
        RelabelRule(source_labels=("x",), regex="(.).*", target_label="x", replacement="$1"),
    )
    scraped = scraping(metric_relabel=rules)
    told = native("n", x="one")
    other = metric(told, x="of the same letter").histogram
    exponential(other)
    other.schema = 2
    for _ in range(2):
        await scrape(scraped, native("dropped"), told)
    assert histograms(scraped, '{__name__=~"n|dropped"}', 5) == {f'__name__="n", {TARGET}, x="o"': NATIVE}
    assert scraped.figure("scrape_samples_scraped") == [3.0, 3.0]
    assert scraped.figure("scrape_samples_post_metric_relabeling") == [2.0, 2.0]
    assert scraped.losses.duplicates == 2


async def test_labels_are_honoured() -> None:
    told = native("n", job="own", instance="")
    honouring, plain = scraping(honor_labels=True), scraping()
    for scraped in (honouring, plain):
        await scrape(scraped, told)
    assert list(histograms(honouring, "n", 5)) == ['__name__="n", job="own"']
    assert list(histograms(plain, "n", 5)) == [f'__name__="n", exported_job="own", {TARGET}']


async def test_times_of_a_page_are_honoured_and_new_buckets_join() -> None:
    scraped = scraping()
    told = native()
    for step in range(3):
        told.metric[0].timestamp_ms = START - 5000 + step * 1000
        await scrape(scraped, told)
        held = told.metric[0].histogram
        held.positive_span[1].length += 1
        held.positive_delta.append(1)
        held.sample_count = 2 + sum(accumulate(held.positive_delta))
    assert value(scraped, "timestamp(n)", -4) == START / 1000 - 4
    assert value(scraped, "count_over_time(n[10s])", 0) == 3.0
    assert len(histograms(scraped, "n", 0)[f'__name__="n", {TARGET}'].positive) == 5
    frames = {frame for frame in scraped.writer.frames if frame.endswith(tuple("0123456789"))}
    assert len(frames) == 1, "buckets lie beside those of their histogram"
    overruled = scraping(honor_timestamps=False)
    await scrape(overruled, told)
    assert histograms(overruled, "n", 0)


async def test_tracked_times_end_a_histogram_but_not_for_a_bucket() -> None:
    scraped = scraping(track_timestamps_staleness=True)
    told = native()
    told.metric[0].timestamp_ms = START
    await scrape(scraped, told)
    held = told.metric[0].histogram
    del held.positive_span[1]
    del held.positive_delta[2]
    held.sample_count = 5
    told.metric[0].timestamp_ms = START + 9000
    await scrape(scraped, told)
    assert value(scraped, "histogram_count(n)", 10) == 5.0
    gauge = family("g", GAUGE)
    metric(gauge)
    await scrape(scraped, gauge)
    assert not histograms(scraped, "n", 20)
    assert scraped.losses.refused == 0


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        (ScrapeLimits(samples=1), "sample limit exceeded: 2 samples, limit 1"),
        (ScrapeLimits(labels=3), "label_limit exceeded"),
        (ScrapeLimits(label_value_length=4), "label_value_length_limit exceeded"),
        (ScrapeLimits(body_bytes=20), "body size limit exceeded"),
    ],
)
async def test_limits_fail_the_scrape_as_a_whole(limits: ScrapeLimits, problem: str) -> None:
    scraped = scraping(limits=limits)
    await scrape(scraped, native("n", x="abcde"), native("m"))
    assert problem in scraped.cycle.reading.error
    assert scraped.kept() == {}
    assert scraped.figure("up") == [0.0]


async def test_a_histogram_counts_once_against_the_limits() -> None:
    scraped = scraping(limits=ScrapeLimits(samples=1, labels=3, label_name_length=8))
    await scrape(scraped, native())
    assert scraped.figure("up") == [1.0]
    few = scraping(histograms=HistogramWish(most_buckets=1))
    await scrape(few, native())
    assert "bucket limit exceeded" in few.cycle.reading.error


async def test_without_the_wish_for_native_ones_there_are_classic_buckets() -> None:
    scraped = scraping(histograms=HistogramWish(native=False))
    told = classic()
    exponential(told.metric[0].histogram)
    await scrape(scraped, told)
    assert f"h_seconds_bucket{{{TARGET.replace('job', 'exported_job')}" not in scraped.kept()
    assert {name.partition("{")[0] for name in scraped.kept()} == {
        "h_seconds_bucket",
        "h_seconds_count",
        "h_seconds_sum",
    }


async def test_exemplars_of_a_native_histogram() -> None:
    scraped = scraping()
    told = native()
    exemplar = told.metric[0].histogram.exemplars.add(value=0.5)
    exemplar.timestamp.seconds = START // 1000
    exemplar.label.add(name="trace_id", value="t")
    await scrape(scraped, told)
    ((series, exemplars),) = scraped.exemplars.exemplars([()], 0, 1 << 60)
    assert dict(series) == {"__name__": "n", "instance": "h:1", "job": "j"}
    assert (exemplars[0].labels, exemplars[0].value, exemplars[0].time_ms) == ((("trace_id", "t"),), 0.5, START)


async def test_a_page_that_does_not_say_what_it_is() -> None:
    scraped = scraping(fallback="PrometheusProto")
    await scraped.scrape(delimited(native()), "application/octet-stream")
    assert scraped.figure("up") == [1.0]
    await scraped.scrape("a 1\n", "text/plain")
    assert scraped.figure("up") == [1.0, 1.0]


async def test_columns_are_kept_as_long_as_the_series_are_the_same() -> None:
    scraped = scraping(metric_relabel=(RelabelRule(source_labels=("__name__",), regex="drop", action="drop"),))
    told = native()
    for _ in range(20):
        observed(told, 1)
        await scrape(scraped, told, native("drop"))
    assert len({id(columns) for columns in scraped.writer.columns}) == 1


async def test_classic_histograms_are_converted_where_that_is_wished() -> None:
    page = '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 3\nh_sum 4\nh_count 3\n# TYPE g gauge\ng 1\n'
    scraped = scraping(histograms=HistogramWish(custom=True))
    await scraped.scrape(page, "text/plain")
    await scraped.scrape(page.replace("h_count 3", "h_count 9"), "text/plain")
    await scraped.scrape(page.replace("3", "5"), "text/plain")
    expected = NativeHistogram(CUSTOM_SCHEMA, 3.0, 4.0, positive=((0, 1.0), (1, 2.0)), bounds=(1.0,))
    assert histograms(scraped, "h", 5) == {f'__name__="h", {TARGET}': expected}
    assert not histograms(scraped, "h", 15), "buckets that contradict the count"
    assert value(scraped, "histogram_count(h)", 25) == 5.0
    assert scraped.figure("scrape_samples_scraped") == [2.0, 1.0, 2.0]
    assert scraped.figure("scrape_samples_post_metric_relabeling") == [2.0, 1.0, 2.0]
    assert not [name for name in scraped.kept() if name.startswith("h_")]


async def test_one_target_may_want_others() -> None:
    rule = RelabelRule(target_label="__scrape_native_histograms__", replacement="true")
    scraped = Scraped(relabel=(rule,))
    await scrape(scraped, native())
    assert histograms(scraped, "n", 5)
