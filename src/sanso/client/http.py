"""Answers from a running server, over its HTTP API."""

from __future__ import annotations

import http.client
import json
import math
import threading
import urllib.parse
from collections.abc import Sequence
from typing import Any

import numpy as np

from sanso.client.histograms import histogram_of
from sanso.model.errors import ClientError, QueryError
from sanso.model.frame import Times, absent
from sanso.model.labels import Labels, labels_of
from sanso.model.readings import AlertReading, Overview, SourceReading, VitalReading, WorkerReading
from sanso.model.series import Answer, Ends
from sanso.model.status import AlertLevel, Status, WorkerState


class HttpClient:
    """The client of a server at a URL; several threads may use it, one at a time.

    Raises:
        ClientError: From every method, where the server cannot be asked.
    """

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self.where = url.rstrip("/")
        self._url = urllib.parse.urlsplit(self.where)
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise ClientError(f"{url!r} is not a server's address: write it like http://127.0.0.1:3333")
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()

    def check(self) -> None:
        """Whether the server answers."""
        self._ask("/-/ready")

    def overview(self) -> Overview:
        """Everything the first screen draws, of one moment."""
        return _overview(self._json("/api/sanso/overview"))

    def histories(self, names: Sequence[str], seconds: float, points: int) -> dict[str, list[float]]:
        """The last `seconds` of plain vitals, `points` values each, oldest first, NaN for gaps."""
        found = self._json(f"/api/sanso/histories?names={','.join(names)}&seconds={seconds}&points={points}")
        return {name: [math.nan if value is None else value for value in values] for name, values in found.items()}

    def query(self, expr: str, at_ms: int | None = None) -> Answer:
        """PromQL at one time, by default now."""
        times = {} if at_ms is None else {"time": at_ms}
        return self._answer("query", expr, times)

    def query_range(self, expr: str, start_ms: int, end_ms: int, step_ms: int) -> Answer:
        """PromQL at every step."""
        return self._answer("query_range", expr, {"start": start_ms, "end": end_ms, "step": step_ms})

    def ends(self, expr: str, at_ms: int) -> Ends:
        """PromQL at one time, with the ends of quantiles' buckets."""
        return self._ends("query", expr, {"time": at_ms})

    def ends_range(self, expr: str, start_ms: int, end_ms: int, step_ms: int) -> Ends:
        """PromQL at every step, likewise."""
        return self._ends("query_range", expr, {"start": start_ms, "end": end_ms, "step": step_ms})

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _answer(self, path: str, expr: str, times: dict[str, int]) -> Answer:
        found = self._found(path, expr, times)
        return _answer(found["data"], found)

    def _ends(self, path: str, expr: str, times: dict[str, int]) -> Ends:
        found = self._found(path, expr, times, edge="all")
        data = found["data"]
        if "lower" not in data or "upper" not in data:
            raise ClientError(f"{self.where} knows nothing of bounds: only a Sanso of this version does")
        return Ends(_answer(data, found), _answer(data["lower"], {}), _answer(data["upper"], {}))

    def _found(self, path: str, expr: str, times: dict[str, int], **more: str) -> Any:
        given = {"query": expr, **{name: f"{value / 1000:.3f}" for name, value in times.items()}, **more}
        return self._json(f"/api/v1/{path}?{urllib.parse.urlencode(given)}")

    def _json(self, path: str) -> Any:
        try:
            return json.loads(self._ask(path))
        except ValueError as error:
            raise ClientError(f"{self.where} does not speak Sanso's API: is it another program?") from error

    def _ask(self, path: str) -> bytes:
        with self._lock:
            try:
                status, body = self._exchange(path)
            except (OSError, http.client.HTTPException):
                self.close()  # a kept connection may have been closed meanwhile: once anew
                try:
                    status, body = self._exchange(path)
                except (OSError, http.client.HTTPException) as error:
                    self.close()
                    reason = str(error) or type(error).__name__
                    raise ClientError(f"{self.where} does not answer ({reason}): is `sanso serve` running?") from error
        if status == 200:
            return body
        raise _problem(self.where, status, body)

    def _exchange(self, path: str) -> tuple[int, bytes]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self._url.hostname or "", self._url.port, timeout=self._timeout_s)
        self._connection.request("GET", f"{self._url.path}{path}")
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def _problem(where: str, status: int, body: bytes) -> ClientError | QueryError:
    try:
        found = json.loads(body)
        text, kind = str(found["error"]), found["errorType"]
    except (ValueError, KeyError, TypeError):
        return ClientError(f"{where} answered {status}")
    if kind in ("bad_data", "execution", "timeout", "canceled"):
        return QueryError(text, kind)
    return ClientError(f"{where}: {text}")


def _answer(data: Any, notes: Any) -> Answer:
    kind, result = data["resultType"], data["result"]
    warnings, infos = tuple(notes.get("warnings", ())), tuple(notes.get("infos", ()))
    if kind == "string":
        return Answer("string", [], _times([result[0]]), absent(0, 1), str(result[1]), warnings, infos)
    if kind == "scalar":
        values = np.array([[float(result[1])]])
        return Answer("scalar", [()], _times([result[0]]), values, "", warnings, infos)
    labels = [labels_of(series["metric"]) for series in result]
    floats, natives = ("values", "histograms") if kind == "matrix" else ("value", "histogram")
    points, histograms = _points(result, floats), _points(result, natives)
    times = _times(sorted({time for series in (*points, *histograms) for time, _ in series}))
    values = absent(len(labels), len(times))
    for row, series in enumerate(points):
        values[row, _places(times, series)] = [float(text) for _, text in series]
    held = {
        (row, step): histogram_of(found)
        for row, series in enumerate(histograms)
        for step, (_, found) in zip(_places(times, series), series, strict=True)
    }
    return Answer("matrix" if kind == "matrix" else "vector", labels, times, values, "", warnings, infos, held)


def _points(result: Any, key: str) -> list[list[Any]]:
    """The points of each series under a key: many under a plural, one under a singular."""
    if key.endswith("s"):
        return [series.get(key, []) for series in result]
    return [[series[key]] if key in series else [] for series in result]


def _places(times: Times, series: list[Any]) -> list[int]:
    places: list[int] = np.searchsorted(times, _times([time for time, _ in series])).tolist()
    return places


def _times(seconds: list[float]) -> Times:
    return np.array([round(time * 1000) for time in seconds], dtype=np.int64)


def _overview(found: dict[str, Any]) -> Overview:
    return Overview(
        time_ms=found["time_ms"],
        host=found["host"],
        vitals={name: [_vital(reading) for reading in readings] for name, readings in found["vitals"].items()},
        workers=[WorkerReading(**{**worker, "state": WorkerState(worker["state"])}) for worker in found["workers"]],
        workers_expected=found["workers_expected"],
        alerts=[_alert(alert) for alert in found["alerts"]],
        sources=[_source(source) for source in found["sources"]],
        notices=list(found["notices"]),
    )


def _vital(found: dict[str, Any]) -> VitalReading:
    return VitalReading(**{**found, "status": Status(found["status"]), "labels": _labels(found["labels"])})


def _alert(found: dict[str, Any]) -> AlertReading:
    threshold = math.nan if found["threshold"] is None else found["threshold"]
    value = math.nan if found["value"] is None else found["value"]
    changed = {"level": AlertLevel(found["level"]), "threshold": threshold, "value": value}
    return AlertReading(**{**found, **changed, "labels": _labels(found["labels"])})


def _source(found: dict[str, Any]) -> SourceReading:
    duration = math.nan if found["duration_seconds"] is None else found["duration_seconds"]
    return SourceReading(**{**found, "duration_seconds": duration})


def _labels(found: list[list[str]]) -> Labels:
    return tuple((name, value) for name, value in found)
