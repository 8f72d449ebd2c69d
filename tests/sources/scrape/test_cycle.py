from __future__ import annotations

import math

import pytest

from sanso.model.errors import SourceError
from sanso.sources.scrape.relabel import RelabelRule
from sanso.sources.scrape.settings import ScrapeLimits
from tests.sources.scrape.kept import Scraped

TARGET = 'instance="h:1", job="j"'
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


async def test_a_page_and_its_report() -> None:
    scraped = Scraped()
    await scraped.scrape('a 1\nb{x="y"} 2\n')
    await scraped.scrape('a 2\nb{x="y"} NaN\n')
    assert scraped.kept() == {
        f"a{{{TARGET}}}": [(0.0, 1.0), (10.0, 2.0)],
        f'b{{{TARGET}, x="y"}}': [(0.0, 2.0), (10.0, "nan")],
    }
    assert scraped.figure("up") == [1.0, 1.0]
    assert scraped.figure("scrape_samples_scraped") == [2.0, 2.0]
    assert scraped.figure("scrape_samples_post_metric_relabeling") == [2.0, 2.0]
    assert scraped.figure("scrape_series_added") == [2.0, 0.0]
    assert len(scraped.kept(report=True)) == 5
    assert scraped.cycle.reading.health == "up"


async def test_series_that_vanish_end_and_may_come_back() -> None:
    scraped = Scraped()
    await scraped.scrape("a 1\nb 1\n")
    await scraped.scrape("a 2\n")
    await scraped.scrape("a 3\n")
    await scraped.scrape("a 4\nb 4\n")
    assert scraped.kept()[f"b{{{TARGET}}}"] == [(0.0, 1.0), (10.0, "stale"), (30.0, 4.0)]
    assert scraped.figure("scrape_series_added") == [2.0, 0.0, 0.0, 1.0]


async def test_all_series_end_where_a_scrape_fails_but_the_report_goes_on() -> None:
    scraped = Scraped()
    for page in ("a 1\n", SourceError("no route"), "a {\n", "a 4\n"):
        await scraped.scrape(page)
    assert scraped.kept() == {f"a{{{TARGET}}}": [(0.0, 1.0), (10.0, "stale"), (30.0, 4.0)]}
    assert scraped.figure("up") == [1.0, 0.0, 0.0, 1.0]
    assert scraped.figure("scrape_samples_scraped") == [1.0, 0.0, 0.0, 1.0]
    # Prometheus too remembers through failures what a target had.
    assert scraped.figure("scrape_series_added") == [1.0, 0.0, 0.0, 0.0]


async def test_why_a_target_is_down_is_said() -> None:
    scraped = Scraped()
    await scraped.scrape("a 1\nb }\n")
    reading = scraped.cycle.reading
    assert reading.health == "down"
    assert "line 2" in reading.error


async def test_all_series_end_with_the_target() -> None:
    scraped = Scraped()
    await scraped.scrape("a 1\n")
    scraped.cycle.end(scraped.clock.now_ms())
    assert scraped.kept() == {f"a{{{TARGET}}}": [(0.0, 1.0), (10.0, "stale")]}
    assert scraped.figure("up") == [1.0, "stale"]


async def test_a_target_that_goes_in_the_millisecond_of_its_scrape_ends_too() -> None:
    scraped = Scraped()
    await scraped.scrape("a 1\n")
    scraped.cycle.end(scraped.clock.now_ms() - 10_000)
    assert scraped.kept() == {f"a{{{TARGET}}}": [(0.0, 1.0), (0.001, "stale")]}


@pytest.mark.parametrize(("late_ms", "stamp_ms"), [(0, 0), (20, 0), (21, 21), (3000, 3000)])
def test_a_scrape_that_is_hardly_late_is_stamped_with_its_mark(late_ms: int, stamp_ms: int) -> None:
    scraped = Scraped()
    mark = scraped.cycle._next(123)
    assert mark % 60_000 == 123
    assert 0 < mark - scraped.clock.now_ms() <= 60_000
    scraped.clock.at_ms = mark + late_ms
    assert scraped.cycle._stamp(mark) == mark + stamp_ms


async def test_labels_that_clash() -> None:
    page = 'a{job="own",instance="i",exported_job="e",x="y"} 1\n'
    scraped = Scraped()
    await scraped.scrape(page)
    (series,) = scraped.kept()
    expected = 'exported_exported_job="own", exported_instance="i", exported_job="e", instance="h:1", job="j", x="y"'
    assert series == f"a{{{expected}}}"
    honouring = Scraped({"zone": "z"}, honor_labels=True)
    await honouring.scrape(page)
    assert list(honouring.kept()) == ['a{exported_job="e", instance="i", job="own", x="y", zone="z"}']


async def test_an_empty_label_is_honoured_as_the_wish_for_none() -> None:
    scraped = Scraped(honor_labels=True)
    await scraped.scrape('a{instance=""} 1\nb 1\nc{instance="",job="p"} 1\n')
    assert set(scraped.kept()) == {'a{job="j"}', f"b{{{TARGET}}}", 'c{job="p"}'}


async def test_metric_relabelling() -> None:
    rules = (
        RelabelRule(source_labels=("__name__",), regex="go_.*", action="drop"),
        RelabelRule(source_labels=("code",), regex="(.).*", target_label="class", replacement="${1}xx"),
        RelabelRule(regex="code", action="labeldrop"),
    )
    scraped = Scraped(metric_relabel=rules)
    await scraped.scrape('go_x 1\nr{code="200"} 2\nr{code="204"} 3\nr{code="500"} 4\n')
    assert scraped.kept() == {
        f'r{{class="2xx", {TARGET}}}': [(0.0, 2.0)],
        f'r{{class="5xx", {TARGET}}}': [(0.0, 4.0)],
    }
    assert scraped.figure("scrape_samples_scraped") == [4.0]
    assert scraped.figure("scrape_samples_post_metric_relabeling") == [3.0]
    assert scraped.losses.duplicates == 1


async def test_a_series_without_a_name_fails_the_scrape() -> None:
    scraped = Scraped(metric_relabel=(RelabelRule(regex="__name__", action="labeldrop"),))
    await scraped.scrape("a 1\n")
    assert scraped.kept() == {}
    assert "missing metric name" in scraped.cycle.reading.error


async def test_a_label_without_a_name_fails_the_scrape() -> None:
    scraped = Scraped(metric_relabel=(RelabelRule(regex="a(.*)", replacement="${1}", action="labelmap"),))
    await scraped.scrape('m{ab="x"} 1\n')
    assert scraped.kept() == {f'm{{ab="x", b="x", {TARGET}}}': [(0.0, 1.0)]}
    await scraped.scrape('m{a="x"} 1\n')
    assert "a label without a name" in scraped.cycle.reading.error


async def test_times_of_a_page_are_honoured_and_such_series_do_not_end() -> None:
    scraped = Scraped()
    start = scraped.clock.now_ms()
    await scraped.scrape(f"a 1 {start - 5000}\nb 1\nc 1 {start - 7000}\n")
    await scraped.scrape(f"a 1 {start - 5000}\nb 2\n")
    await scraped.scrape(f"a 2 {start + 12_000}\nb 3\nc 2 {start - 6000}\n")
    assert scraped.kept() == {
        f"a{{{TARGET}}}": [(-5.0, 1.0), (12.0, 2.0)],
        f"b{{{TARGET}}}": [(0.0, 1.0), (10.0, 2.0), (20.0, 3.0)],
        f"c{{{TARGET}}}": [(-7.0, 1.0), (-6.0, 2.0)],
    }
    assert scraped.losses.refused == 0
    await scraped.scrape(f"a 9 {start + 12_000}\n")
    assert scraped.losses.refused == 1


async def test_times_far_ahead_are_refused() -> None:
    scraped = Scraped()
    start = scraped.clock.now_ms()
    await scraped.scrape(f"a 1 {9 * 10**18}\nb 1 {start + 600_001}\nc 1 {start + 600_000}\n")
    await scraped.scrape(f"a 2 {start + 1000}\n")
    assert scraped.kept() == {f"a{{{TARGET}}}": [(1.0, 2.0)], f"c{{{TARGET}}}": [(600.0, 1.0)]}
    assert scraped.losses.refused == 2


async def test_times_may_be_overruled_or_tracked() -> None:
    scraped = Scraped(honor_timestamps=False)
    await scraped.scrape("a 1 1000\n")
    assert scraped.kept() == {f"a{{{TARGET}}}": [(0.0, 1.0)]}
    tracked = Scraped(track_timestamps_staleness=True)
    start = tracked.clock.now_ms()
    await tracked.scrape(f"a 1 {start - 5000}\nb 1 {start - 5000}\n")
    await tracked.scrape(f"a 2 {start + 1000}\n")
    await tracked.scrape(SourceError("down"))
    assert tracked.kept() == {
        f"a{{{TARGET}}}": [(-5.0, 1.0), (1.0, 2.0), (20.0, "stale")],
        f"b{{{TARGET}}}": [(-5.0, 1.0), (10.0, "stale")],
    }


async def test_a_series_that_stands_twice_counts_once() -> None:
    scraped = Scraped()
    await scraped.scrape("a 1\na 2\n")
    assert scraped.kept() == {f"a{{{TARGET}}}": [(0.0, 1.0)]}
    assert scraped.losses.duplicates == 1
    assert scraped.figure("scrape_samples_scraped") == [2.0]


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        (ScrapeLimits(samples=2), "sample limit exceeded"),
        (ScrapeLimits(labels=3), "label_limit exceeded"),
        (ScrapeLimits(label_name_length=7), "label_name_length_limit exceeded"),
        (ScrapeLimits(label_value_length=5), "label_value_length_limit exceeded"),
        (ScrapeLimits(body_bytes=20), "body size limit exceeded"),
    ],
)
async def test_limits_fail_the_scrape_as_a_whole(limits: ScrapeLimits, problem: str) -> None:
    scraped = Scraped(limits=limits, extra_metrics=True)
    await scraped.scrape('a 1\nb{c="2"} 1\nx{path="sixsix"} 3\n')
    assert problem in scraped.cycle.reading.error
    assert scraped.kept() == {}
    assert scraped.figure("up") == [0.0]
    assert scraped.figure("scrape_body_size_bytes") == [-1.0 if limits.body_bytes == 20 else 0.0]


async def test_the_sample_limit_counts_what_relabelling_leaves_and_0_is_none() -> None:
    rules = (RelabelRule(source_labels=("__name__",), regex="go_.*", action="drop"),)
    scraped = Scraped(limits=ScrapeLimits(samples=1), metric_relabel=rules)
    await scraped.scrape("go_a 1\ngo_b 1\nx 1\n")
    assert scraped.figure("up") == [1.0]
    free = Scraped(limits=ScrapeLimits(0, 0, 0, 0, 0))
    await free.scrape("a{" + ",".join(f'{"l" * 600}{n}="{"v" * 20_000}"' for n in range(200)) + "} 1\n")
    assert free.figure("up") == [1.0]


async def test_more_of_the_report_where_it_is_asked_for() -> None:
    scraped = Scraped(extra_metrics=True, limits=ScrapeLimits(samples=7))
    await scraped.scrape("a 1\n")
    assert scraped.figure("scrape_timeout_seconds") == [10.0]
    assert scraped.figure("scrape_sample_limit") == [7.0]
    assert scraped.figure("scrape_body_size_bytes") == [4.0]


async def test_openmetrics_by_its_content_type_with_exemplars() -> None:
    page = (
        "# TYPE r counter\n# UNIT r \n# HELP r Requests.\n"
        'r_total 3 # {trace_id="t"} 1 1790000000\n# TYPE l gauge\nl 1\n# EOF\n'
    )
    scraped = Scraped()
    await scraped.scrape(page, OPENMETRICS)
    assert scraped.kept() == {f"r_total{{{TARGET}}}": [(0.0, 3.0)], f"l{{{TARGET}}}": [(0.0, 1.0)]}
    assert scraped.store.families()["l"].type == "gauge"
    ((series, exemplars),) = scraped.exemplars.exemplars([()], 0, 1 << 60)
    assert dict(series)["instance"] == "h:1"
    assert (exemplars[0].labels, exemplars[0].value) == ((("trace_id", "t"),), 1.0)
    await scraped.scrape(page.replace("# EOF\n", ""), OPENMETRICS)
    assert "# EOF" in scraped.cycle.reading.error


async def test_a_page_that_does_not_say_what_it_is() -> None:
    scraped = Scraped(fallback="OpenMetricsText1.0.0")
    await scraped.scrape("a 1\n", "application/octet-stream")
    assert "# EOF" in scraped.cycle.reading.error
    plain = Scraped()
    await plain.scrape("a 1\n", "application/octet-stream")
    assert plain.cycle.reading.health == "up"


async def test_columns_are_kept_as_long_as_the_series_are_the_same() -> None:
    scraped = Scraped(metric_relabel=(RelabelRule(source_labels=("__name__",), regex="drop.*", action="drop"),))
    await scraped.scrape("a 1\ndrop 1\nb 2\n")
    for value in range(20):
        await scraped.scrape(f"a {value}\ndrop {value}\nb {value}\n")
    assert len({id(columns) for columns in scraped.writer.columns}) == 1


async def test_a_refused_target_is_down_and_says_why() -> None:
    scraped = Scraped()
    scraped.cycle.refusal = "target_limit exceeded (number of targets: 2, limit: 1)"
    await scraped.scrape("a 1\n")
    assert scraped.kept() == {}
    assert scraped.cycle.reading.error.startswith("target_limit exceeded")
    assert not math.isnan(scraped.cycle.reading.duration_s)


async def test_infinities_and_nan_are_values() -> None:
    scraped = Scraped()
    await scraped.scrape("a +Inf\nb -Inf\nc NaN\n")
    found = {text.partition("{")[0]: samples[0][1] for text, samples in scraped.kept().items()}
    assert found == {"a": math.inf, "b": -math.inf, "c": "nan"}


async def test_bounds_have_one_spelling_and_the_wish_for_no_instance_is_heard_there_too() -> None:
    scraped = Scraped(honor_labels=True)
    await scraped.scrape('# TYPE a histogram\na_bucket{instance="",le="1"} 1\na_bucket{le="+Inf"} 1\n')
    assert set(scraped.kept()) == {'a_bucket{job="j", le="1.0"}', f'a_bucket{{{TARGET}, le="+Inf"}}'}


@pytest.mark.parametrize(
    ("page", "scraped_samples", "kept"),
    [
        ("a 1\nb 2\nc x y z\nd 4\n", 2, 2),
        ("c x y z\nd 4\n", 0, 0),
        ("a 1\nb 2\nc x\n", 2, 2),
        ("a 1\nc x\nb {\n", 1, 1),  # the number is judged after what stands before it
        ("a 1\n# TYPE b nonsense\nb 2\n", 1, 1),
        ("a 1\na 1\nb 2\nc x y\n", 3, 3),
        ("a 1\ngo_a 2\nc x y\n", 2, 1),
        ("a 1\nb 2\nc 3\nd 4\ne x y\n", 4, 4),  # more than the limit before the line that is wrong
        ("a 1\na 1\ngo_a 1\ngo_a 1\n", 4, 2),
        ("a 1\na 1\ngo_a 1\ngo_a 1\nb 2\nc 3\nd 4\n", 7, 5),
        ("# TYPE a gauge\na 1\n# TYPE b gauge\nb x\n# EOF\n", 1, 1),
        ("# TYPE a gauge\na 1\n# TYPE a gauge\na 2\n# EOF\n", 1, 1),
    ],
)
async def test_it_is_told_how_far_a_page_was_read(page: str, scraped_samples: int, kept: int) -> None:
    rule = RelabelRule(source_labels=("__name__",), regex="go_.*", action="drop")
    scraped = Scraped(metric_relabel=(rule,), limits=ScrapeLimits(samples=3))
    await scraped.scrape("z 1\n")
    await scraped.scrape(page, OPENMETRICS if "# EOF" in page else "text/plain")
    await scraped.scrape("z 1\n", "text/plain")
    assert scraped.figure("scrape_samples_scraped") == [1.0, scraped_samples, 1.0]
    assert scraped.figure("scrape_samples_post_metric_relabeling") == [1.0, kept, 1.0]
    assert (
        scraped.figure("up")[1] == scraped.figure("scrape_series_added")[2] == float((scraped_samples, kept) == (4, 2))
    )
