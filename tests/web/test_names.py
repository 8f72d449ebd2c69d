from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.frame import Columns, Row
from sanso.model.labels import labels_of
from sanso.web.names import unescaped
from tests.web.hosted import START, hosted
from tests.web.test_remote_read import add_histograms


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with hosted() as (watching, url):
        add_histograms(watching)
        odd = labels_of({"__name__": "utf.8", "http.status": "200", "a_b": "c"})
        watching.store.append("odd", START + 1000, Row(Columns((odd,)), np.array([1.0])))
        with httpx.Client(base_url=url) as client:
            yield client


def body(api: httpx.Client, path: str, **parameters: Any) -> Any:
    return api.get(f"/api/v1/{path}", params=parameters).json()


def escaped(name: str) -> str:
    """As clients write a name into a path."""
    return "U__" + "".join(c if c.isascii() and c.isalnum() else "__" if c == "_" else f"_{ord(c):x}_" for c in name)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_an_escaped_name_comes_back(name: str) -> None:
    assert unescaped(escaped(name)) == name


@pytest.mark.parametrize("name", ["plain", "a_b", "U__a_", "U___zz_", "U__a_110000_", "U__a_d800_", "U__x_y"])
def test_a_name_that_is_not_escaped_stands(name: str) -> None:
    assert unescaped(name) == name


def test_names_beyond_the_classic_characters(api: httpx.Client) -> None:
    assert body(api, "label/U__http_2e_status/values")["data"] == ["200"]
    assert body(api, "label/http.status/values")["data"] == ["200"]
    assert body(api, "label/U__a__b/values")["data"] == ["c"]
    found = body(api, "series", **{"match[]": '{"utf.8"}'})["data"]
    assert found == [{"__name__": "utf.8", "a_b": "c", "http.status": "200"}]


def test_the_store_counts_native_histograms_as_one_series_each(api: httpx.Client) -> None:
    found = body(api, "status/tsdb", limit="1000")["data"]
    assert found["headStats"]["numSeries"] == len(body(api, "series", **{"match[]": '{__name__!=""}'})["data"])
    assert {"name": "exponential", "value": 1} in found["seriesCountByMetricName"]
    assert "__hist__" not in {row["name"] for row in found["labelValueCountByLabelName"]}


def test_native_histograms_are_one_series_each(api: httpx.Client) -> None:
    found = body(api, "series", **{"match[]": '{job="h"}'})["data"]
    assert found == [{"__name__": "custom", "job": "h"}, {"__name__": "exponential", "job": "h"}]
    assert "__hist__" not in body(api, "labels")["data"]


def test_lists_that_are_cut_say_so(api: httpx.Client) -> None:
    for path in ("labels", "label/job/values", "series"):
        found = body(api, path, limit=1, **{"match[]": ["up", "jobs_total"]})
        assert len(found["data"]) == 1
        assert found["warnings"] == ["results truncated due to limit"]
        assert "warnings" not in body(api, path, limit=20, **{"match[]": "up"})


@pytest.mark.parametrize("path", ["labels", "label/job/values", "series"])
@pytest.mark.parametrize("selector", ["{}", '{__name__=~".*"}', '{a!="b"}'])
def test_a_selector_that_selects_everything_is_refused(api: httpx.Client, path: str, selector: str) -> None:
    found = body(api, path, **{"match[]": selector})
    said = "match[] must contain at least one non-empty matcher"
    told = f'invalid parameter "match[]": {said}' if path == "series" else said  # Prometheus makes this difference
    assert (found["errorType"], found["error"]) == ("bad_data", told)


def test_a_form_may_ask_for_names_and_series(api: httpx.Client) -> None:
    for path in ("labels", "series"):
        answer = api.post(f"/api/v1/{path}", data={"match[]": ["up", "now_and_then"]})
        assert answer.json() == api.get(f"/api/v1/{path}", params={"match[]": ["up", "now_and_then"]}).json()


def test_a_label_without_a_name_is_none(api: httpx.Client) -> None:
    assert body(api, "label//values")["error"] == 'invalid label name: ""'


def test_metadata_is_limited(api: httpx.Client) -> None:
    assert len(body(api, "metadata")["data"]) > 2
    assert body(api, "metadata", limit=0)["data"] == {}
    assert list(body(api, "metadata", metric="jobs_total", limit_per_metric=1)["data"]) == ["jobs_total"]
    assert body(api, "metadata", limit="x")["error"] == "limit must be a number"
    assert body(api, "metadata", limit_per_metric="x")["error"] == "limit_per_metric must be a number"
