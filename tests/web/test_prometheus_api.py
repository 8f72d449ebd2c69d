from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sanso.model.control import QueryLimits
from sanso.model.exemplars import Exemplar
from sanso.model.labels import series_of
from tests.web.hosted import START, hosted

NOW = (START + 30_000) / 1000


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with hosted() as (_, url), httpx.Client(base_url=url) as client:
        yield client


def data(api: httpx.Client, path: str, **parameters: Any) -> Any:
    answer = api.get(f"/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["status"] == "success"
    return body["data"]


def test_an_instant_vector(api: httpx.Client) -> None:
    found = data(api, "query", query="up")
    assert found["resultType"] == "vector"
    assert {series["metric"]["instance"]: series["value"] for series in found["result"]} == {
        'x"y\n': [NOW, "1"],
        "z": [NOW, "0"],
    }


@pytest.mark.parametrize(
    ("expr", "kind", "value"),
    [
        ("1.5e30", "scalar", "1.5e+30"),
        ("1/0", "scalar", "+Inf"),
        ("-1/0", "scalar", "-Inf"),
        ("0/0", "scalar", "NaN"),
        ("1e-7", "scalar", "1e-07"),
        ("0.1 + 0.2", "scalar", "0.30000000000000004"),
        ("1e20", "scalar", "100000000000000000000"),
        ('"text"', "string", "text"),
    ],
)
def test_numbers_are_written_as_prometheus_writes_them(api: httpx.Client, expr: str, kind: str, value: str) -> None:
    found = data(api, "query", query=expr)
    assert (found["resultType"], found["result"]) == (kind, [NOW, value])


def test_values_that_are_no_numbers_are_values(api: httpx.Client) -> None:
    found = {series["metric"]["kind"]: series["value"][1] for series in data(api, "query", query="odd")["result"]}
    assert found == {"nan": "NaN", "inf": "+Inf"}


def test_a_range_has_every_step_and_leaves_gaps_out(api: httpx.Client) -> None:
    found = data(api, "query_range", query="jobs_total", start=NOW - 10, end=NOW, step="5s")
    assert found["resultType"] == "matrix"
    (series,) = found["result"]
    assert series["values"] == [[NOW - 10, "38"], [NOW - 5, "48"], [NOW, "58"]]
    (raw,) = data(api, "query", query="now_and_then[4s]")["result"]
    assert [value for _, value in raw["values"]] == ["27", "29"]


def test_times_may_be_rfc_3339_and_parameters_a_form(api: httpx.Client) -> None:
    at = "2026-09-21T14:13:50.000Z"
    assert data(api, "query", query="jobs_total", time=at)["result"][0]["value"] == [NOW, "58"]
    answer = api.post("/api/v1/query", data={"query": "jobs_total"})
    assert answer.json()["data"]["result"][0]["value"][1] == "58"


@pytest.mark.parametrize(
    ("path", "parameters", "status", "kind", "text"),
    [
        ("query", {"query": "sum("}, 400, "bad_data", 'invalid parameter "query"'),
        ("query", {}, 400, "bad_data", 'invalid parameter "query"'),
        ("query", {"query": "up", "time": "soon"}, 400, "bad_data", 'cannot parse "soon" to a valid timestamp'),
        ("query_range", {"query": "up", "start": 0, "end": 10}, 400, "bad_data", 'invalid parameter "step"'),
        (
            "query_range",
            {"query": "up", "start": 10, "end": 0, "step": 1},
            400,
            "bad_data",
            "end timestamp must not be",
        ),
        ("query_range", {"query": "up", "start": 0, "end": 1, "step": 0}, 400, "bad_data", "step"),
        (
            "query_range",
            {"query": "up", "start": 0, "end": 1e6, "step": 1},
            400,
            "bad_data",
            "exceeded maximum resolution",
        ),
        (
            "query_range",
            {"query": "up[5m]", "start": 0, "end": 9, "step": 1},
            400,
            "bad_data",
            "invalid expression type",
        ),
        ("query", {"query": "up * on(nothing) up"}, 422, "execution", "many-to-many"),
        ("series", {}, 400, "bad_data", "no match[] parameter provided"),
        ("series", {"match[]": "sum(up)"}, 400, "bad_data", "match[]"),
        ("labels", {"limit": "-1"}, 400, "bad_data", "limit"),
    ],
)
def test_errors_are_prometheus_s(
    api: httpx.Client, path: str, parameters: dict[str, Any], status: int, kind: str, text: str
) -> None:
    answer = api.get(f"/api/v1/{path}", params=parameters)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["status"], body["errorType"]) == ("error", kind)
    assert text in body["error"]


def test_series_labels_and_values(api: httpx.Client) -> None:
    found = data(api, "series", **{"match[]": ['up{job="a"}', "jobs_total"]})
    assert found == [{"__name__": "jobs_total", "job": "a"}, {"__name__": "up", "instance": 'x"y\n', "job": "a"}]
    assert data(api, "labels", **{"match[]": "up"}) == ["__name__", "instance", "job"]
    assert data(api, "label/job/values") == ["a", "b"]
    assert data(api, "label/job/values", **{"match[]": 'up{instance="z"}'}) == ["b"]
    assert data(api, "label/job/values", limit=1) == ["a"]
    assert "jobs_total" in data(api, "label/__name__/values")
    assert data(api, "series", **{"match[]": "up", "start": NOW + 100, "end": NOW + 200}) == []


def test_metadata_rules_alerts_and_status(api: httpx.Client) -> None:
    assert data(api, "metadata", metric="up") == {"up": [{"type": "gauge", "help": "Whether it is up.", "unit": ""}]}
    assert len(data(api, "metadata", limit=1)) == 1
    assert data(api, "rules")["groups"][0]["rules"][0]["name"] == "Always"
    (alert,) = data(api, "alerts")["alerts"]
    assert (alert["labels"]["alertname"], alert["labels"]["job"], alert["state"]) == ("Always", "a", "firing")
    assert alert["value"] == "1e+00"
    assert data(api, "status/buildinfo")["application"] == "sanso"
    assert data(api, "status/tsdb")["headStats"]["numSeries"] > 6
    assert data(api, "targets")["activeTargets"] == []


def test_long_answers_are_compressed_for_who_wants_it(api: httpx.Client) -> None:
    url = f"{api.base_url}/api/v1/query_range?query=up&start={NOW - 29}&end={NOW}&step=0.1"
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert json.loads(gzip.decompress(answer.read()))["status"] == "success"


def test_what_is_not_here_says_so(api: httpx.Client) -> None:
    answer = api.get("/api/v1/nonsense")
    assert (answer.status_code, answer.json()["errorType"]) == (404, "not_found")


def test_an_answer_may_be_cut_and_costs_may_be_told(api: httpx.Client) -> None:
    body = api.get("/api/v1/query", params={"query": "up", "limit": 1}).json()
    assert len(body["data"]["result"]) == 1
    assert body["warnings"] == ["results truncated due to limit"]
    window = {"start": NOW - 10, "end": NOW, "step": 5}
    stats = data(api, "query_range", query="jobs_total", stats="all", **window)["stats"]
    assert set(stats["timings"]) == {
        "evalTotalTime", "resultSortTime", "queryPreparationTime", "innerEvalTime", "execQueueTime", "execTotalTime",
    }  # fmt: skip
    timings = stats["timings"]
    parts = [timings[name] for name in ("queryPreparationTime", "innerEvalTime", "resultSortTime")]
    assert timings["evalTotalTime"] == pytest.approx(sum(parts))
    assert timings["execTotalTime"] == pytest.approx(timings["evalTotalTime"] + timings["execQueueTime"])
    assert stats["samples"]["totalQueryableSamples"] >= 3
    assert stats["samples"]["peakSamples"] >= 3
    assert "stats" not in data(api, "query_range", query="jobs_total", **window)


def test_the_ends_of_buckets_come_with_the_answer_in_the_same_form(api: httpx.Client) -> None:
    for path, window in (("query", {"time": NOW}), ("query_range", {"start": NOW - 10, "end": NOW, "step": 5})):
        plain = data(api, path, query="jobs_total", **window)
        found = data(api, path, query="jobs_total", edge="all", stats="all", **window)
        assert set(found) == {"resultType", "result", "lower", "upper", "stats"}
        assert found["lower"] == found["upper"] == plain == {key: found[key] for key in plain}
    answer = api.get("/api/v1/query", params={"query": "up", "edge": "outside"})
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")
    assert "inside, lower, upper, all" in answer.json()["error"]


def test_a_question_may_look_back_further(api: httpx.Client) -> None:
    assert data(api, "query", query="jobs_total", time=NOW + 400)["result"] == []
    (found,) = data(api, "query", query="jobs_total", time=NOW + 400, lookback_delta="10m")["result"]
    assert found["value"] == [NOW + 400, "58"]
    wrong = api.get("/api/v1/query", params={"query": "up", "lookback_delta": "x"}).json()
    assert wrong["error"] == 'error parsing lookback delta duration: cannot parse "x" to a valid duration'


def test_a_question_that_takes_too_much_memory_is_refused_with_the_figure() -> None:
    with hosted(limits=QueryLimits(most_samples=5)) as (_, url):
        answer = httpx.get(f"{url}/api/v1/query", params={"query": "up[1m]"})
        assert (answer.status_code, answer.json()["errorType"]) == (422, "execution")
        assert "query processing would load too many samples into memory" in answer.json()["error"]
        assert "MiB" in answer.json()["error"]


def test_expressions_set_out_and_taken_apart(api: httpx.Client) -> None:
    assert data(api, "format_query", query="sum(up)by(job)") == "sum by (job) (up)"
    assert data(api, "parse_query", query="up")["type"] == "vectorSelector"
    for path in ("format_query", "parse_query"):
        wrong = api.post(f"/api/v1/{path}", data={"query": "sum("})
        assert (wrong.status_code, wrong.json()["errorType"]) == (400, "bad_data")
        assert wrong.json()["error"].startswith('invalid parameter "query": 1:5: parse error:')


def test_exemplars_of_the_series_that_an_expression_names(api: httpx.Client) -> None:
    with hosted() as (watching, url):
        series = series_of("latency_bucket", le="1")
        exemplar = Exemplar((("trace_id", "abc"),), 0.5, START + 1500)
        assert watching.exemplars.add_exemplar(series, exemplar) == ""
        given: dict[str, str | float] = {"query": "rate(latency_bucket[5m])", "start": START / 1000, "end": NOW}
        found = httpx.get(f"{url}/api/v1/query_exemplars", params=given).json()["data"]
        shown = {"labels": {"trace_id": "abc"}, "value": "0.5", "timestamp": START / 1000 + 1.5}
        assert found == [{"seriesLabels": dict(series), "exemplars": [shown]}]
        assert (
            httpx.get(f"{url}/api/v1/query_exemplars", params={**given, "end": START / 1000 + 1}).json()["data"] == []
        )
        wrong = httpx.get(f"{url}/api/v1/query_exemplars", params={"query": "up", "start": 2, "end": 1})
        assert wrong.json()["error"] == "end timestamp must not be before start timestamp"


def test_what_the_server_says_of_itself(api: httpx.Client) -> None:
    found = data(api, "status/tsdb", limit=2)
    assert found["seriesCountByMetricName"][0]["value"] >= 2
    assert {"name": "__name__", "value": found["labelValueCountByLabelName"][0]["value"]} in found[
        "labelValueCountByLabelName"
    ]
    assert len(found["seriesCountByLabelValuePair"]) == 2
    assert api.get("/api/v1/status/tsdb?limit=0").json()["error"] == "limit must be a positive number"
    assert api.get("/api/v1/status/tsdb?limit=10001").json()["error"] == "limit must not exceed 10000"
    assert data(api, "status/flags")["query.timeout"] == "2m"
    assert "query.lookback_delta: 5m" in data(api, "status/config")["yaml"]
    runtime = data(api, "status/runtimeinfo")
    assert (runtime["startTime"], runtime["storageRetention"]) == ("2026-09-21T14:13:20Z", "2w1d")
    assert data(api, "status/tsdb/blocks") == {"blocks": []}
    assert data(api, "notifications") == []
    assert data(api, "status/walreplay") == {"min": 0, "max": 0, "current": 0}


def test_features_are_those_there_are(api: httpx.Client) -> None:
    found = data(api, "features")
    for name, there in found["promql_functions"].items():
        error = api.get("/api/v1/query", params={"query": f"{name}()"}).json().get("error", "")
        assert ("not supported" in error or "unknown function" in error) <= (not there), name
    assert {name for name, there in found["promql_functions"].items() if not there} == {"integral", "start_timestamp"}
    for name, question in {
        "fill": "up + fill(0) up",
        "duration_expr": "up offset (1m)",
        "smoothed": "up smoothed",
    }.items():
        assert found["promql"][name] == (api.get("/api/v1/query", params={"query": question}).status_code == 200)
    assert found["api"]["admin"] is False


@pytest.mark.parametrize(("path", "status"), [("series", 400), ("rules", 400), ("labels", 200), ("query", 200)])
def test_fields_that_cannot_be_read_are_refused_where_prometheus_does(
    api: httpx.Client, path: str, status: int
) -> None:
    answer = api.get(f"/api/v1/{path}?query=1&match[]=up&x=%zz")
    assert answer.status_code == status
    assert ("invalid URL escape" in answer.text) == (status == 400)


@pytest.mark.parametrize("levels", [300, 3_000, 60_000])
@pytest.mark.parametrize("path", ["query", "parse_query", "format_query"])
def test_a_question_that_nests_deeply_is_answered_or_refused(api: httpx.Client, path: str, levels: int) -> None:
    answer = api.post(f"/api/v1/{path}", data={"query": "+".join(["1"] * levels)})
    if levels == 300 and path != "parse_query":  # whose tree JSON cannot hold
        assert answer.status_code == 200
    else:
        assert answer.status_code == 400
        assert "nest too deeply" in answer.json()["error"]
