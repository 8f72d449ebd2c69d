from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import httpx
import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_fd_to_metric_families

from sanso.exposition.formats import PROTOBUF
from sanso.exposition.page import HistogramWish, Page
from sanso.exposition.protobuf import ProtobufParser
from sanso.model.frame import ABSENT, Columns, Row
from sanso.model.labels import series_of
from sanso.model.native_histogram import Hint, component, parts
from sanso.web.pages import LEFT_OUT
from tests.exposition.test_protobuf import histograms, numbers
from tests.web.hosted import START, hosted
from tests.web.test_remote_read import EXPONENTIAL, add_histograms

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with hosted(external_labels=(("instance", "here"), ("site", "s"))) as (watching, url):
        add_histograms(watching)
        watching.store.append("short", START + 1000, Row(Columns((series_of("short"),)), np.array([5.0])))
        watching.store.append("short", START + 2000, Row(Columns(()), np.array([])))
        with httpx.Client(base_url=url) as client:
            yield client


def test_federation_gives_the_newest_samples_with_their_times(api: httpx.Client) -> None:
    selectors = {"match[]": ['up{job="a"}', '{__name__=~"up|now_and_then|short|exponential"}']}
    answer = api.get("/federate", params=selectors)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_fd_to_metric_families(io.StringIO(answer.text))}
    assert set(families) == {"up", "now_and_then"}
    assert answer.text.startswith("# exponential histograms left out, for they have no form in text: 1\n")
    assert families["up"].type == "gauge"
    assert [(s.labels, s.value, s.timestamp) for s in families["up"].samples] == [
        ({"job": "a", "instance": 'x"y\n', "site": "s"}, 1.0, START / 1000 + 30),
        ({"job": "b", "instance": "z", "site": "s"}, 0.0, START / 1000 + 30),
    ]
    (sample,) = families["now_and_then"].samples
    assert (sample.labels, sample.value) == ({"instance": "here", "site": "s"}, 29.0)


def test_without_an_instance_an_empty_one_is_told() -> None:
    with hosted() as (_, url):
        text = httpx.get(f"{url}/federate", params={"match[]": "now_and_then"}).text
        assert text.splitlines()[-1] == f'now_and_then{{instance=""}} 29 {START + 30_000}'
        assert httpx.get(f"{url}/federate").text == ""


def test_federation_in_open_metrics(api: httpx.Client) -> None:
    answer = api.get("/federate", params={"match[]": "up"}, headers={"Accept": PROMETHEUS})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    (family,) = openmetrics_families(answer.text)  # type: ignore[no-untyped-call]
    assert (family.name, family.type, len(family.samples)) == ("up", "gauge", 2)


def test_a_wrong_selector_is_refused(api: httpx.Client) -> None:
    assert api.get("/federate", params={"match[]": "sum(up)"}).status_code == 400
    assert api.get("/federate", params={"match[]": "{}"}).status_code == 400


def test_metrics_in_both_formats(api: httpx.Client) -> None:
    (family,) = openmetrics_families(api.get("/metrics?source=up", headers={"Accept": PROMETHEUS}).text)  # type: ignore[no-untyped-call]
    assert family.name == "up"
    (family,) = text_fd_to_metric_families(io.StringIO(api.get("/metrics?source=up").text))
    assert family.name == "up"


def test_native_histograms_of_custom_bounds_become_classic_ones(api: httpx.Client) -> None:
    answer = api.get("/federate", params={"match[]": '{__name__="custom",job="h"}'})
    text = answer.text
    assert LEFT_OUT not in answer.headers
    assert "left out" not in text
    at = START + 5000
    common = 'instance="here",job="h"'
    assert sorted(line for line in text.splitlines() if not line.startswith("#")) == sorted(
        [
            f'custom_bucket{{{common},le="0.5",site="s"}} 1 {at}',
            f'custom_bucket{{{common},le="1",site="s"}} 1 {at}',
            f'custom_bucket{{{common},le="+Inf",site="s"}} 3 {at}',
            f'custom_sum{{{common},site="s"}} 1 {at}',
            f'custom_count{{{common},site="s"}} 3 {at}',
        ]
    )


def test_exponential_histograms_that_are_left_out_are_counted_once(api: httpx.Client) -> None:
    selectors = {"match[]": ['{job="h"}', '{__name__="exponential"}']}
    for accept in ("text/plain", PROMETHEUS):
        answer = api.get("/federate", params=selectors, headers={"Accept": accept, "Accept-Encoding": "identity"})
        assert answer.headers[LEFT_OUT] == "1"
        assert len(answer.content) == int(answer.headers["content-length"])
    names = {family.name for family in openmetrics_families(answer.text)}  # type: ignore[no-untyped-call]
    assert names == {"custom_bucket", "custom_count", "custom_sum"}, "without comments, which OpenMetrics has none of"


def told(answer: httpx.Response) -> Page:
    assert answer.headers["content-type"] == PROTOBUF.content_type
    assert LEFT_OUT not in answer.headers
    return ProtobufParser(wish=HistogramWish(classic=True)).parse(answer.content)


MESSAGES = f"{PROTOBUF.content_type.rpartition(';')[0]},{PROMETHEUS}"
TOLD = replace(EXPONENTIAL, hint=Hint.UNKNOWN)


def test_in_protobuf_exponential_histograms_are_told_too(api: httpx.Client) -> None:
    selectors = {"match[]": ['{job="h"}', '{__name__="exponential"}', "up"]}
    page = told(api.get("/federate", params=selectors, headers={"Accept": MESSAGES}))
    assert histograms(page) == {'exponential{instance="here", job="h", site="s"}': TOLD}
    common = 'instance="here", job="h"'
    assert numbers(page) == {
        'up{instance="x\\"y\\n", job="a", site="s"}': 1.0,
        'up{instance="z", job="b", site="s"}': 0.0,
        f'custom_bucket{{{common}, le="0.5", site="s"}}': 1.0,
        f'custom_bucket{{{common}, le="1.0", site="s"}}': 1.0,
        f'custom_bucket{{{common}, le="+Inf", site="s"}}': 3.0,
        f'custom_count{{{common}, site="s"}}': 3.0,
        f'custom_sum{{{common}, site="s"}}': 1.0,
    }
    assert page.times is not None
    assert set(page.times.tolist()) == {START + 5000, START + 30_000}
    assert {family.name: family.type for family in page.families}["up"] == "gauge"


def test_metrics_in_protobuf(api: httpx.Client) -> None:
    page = told(api.get("/metrics?source=exponential", headers={"Accept": MESSAGES}))
    assert (list(histograms(page)), page.times) == (['exponential{job="h"}'], None)
    page = told(api.get("/metrics?source=up", headers={"Accept": MESSAGES}))
    assert (len(numbers(page)), page.families[0].help) == (2, "Whether it is up.")


def test_what_of_a_histogram_is_newest() -> None:
    held = parts(EXPONENTIAL)
    with hosted() as (watching, url):
        for number, (part, value) in enumerate(held.items()):  # each part in a frame of its own
            columns = Columns((component(series_of("spread"), part), component(series_of("over"), part)))
            for step in (1000, 2000):
                kept = value if step == 1000 or part not in ("zero", "s3:4") else ABSENT
                watching.store.append(f"frame {number}", START + step, Row(columns, np.array([kept, value])))
            over = Columns(columns.labels[:1])
            watching.store.append(f"frame {number}", START + 3000, Row(over, np.array([ABSENT])))  # the other ends
        selector = {"match[]": '{__name__=~"spread|over"}'}
        page = told(httpx.get(f"{url}/federate", params=selector, headers={"Accept": MESSAGES}))
        assert page.times is not None
        assert set(page.times.tolist()) == {START + 2000}
        (found,) = histograms(page).items()
        expected = replace(TOLD, zero_count=0.0, positive=TOLD.positive[:2])
        assert found == ("spread", expected)
        text = httpx.get(f"{url}/federate", params=selector)
        assert text.headers[LEFT_OUT] == "1", "one that has ended is not left out"
