from __future__ import annotations

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest

from sanso.client.bounds import bounded
from sanso.client.http import HttpClient
from sanso.client.local import LocalClient
from sanso.model.clock import SystemClock
from sanso.model.errors import ClientError
from sanso.model.frame import Family, Frame, is_absent
from sanso.model.labels import Labels, series_of
from sanso.model.matchers import Matcher
from sanso.model.readings import Overview
from sanso.promql.engine import PromEngine
from tests.promql.memory import MemoryReader


def client() -> LocalClient:
    """A classic histogram of eight observations up to 1, two up to 2."""
    labels = [series_of("x_bucket", le=le) for le in ("1", "2", "+Inf")]
    frame = Frame(labels, np.arange(2, dtype=np.int64) * 1000, np.array([[8.0, 8.0], [10.0, 10.0], [10.0, 10.0]]))
    return LocalClient(PromEngine(MemoryReader([frame])), SystemClock(), no_overview, {})


def no_overview(_: int) -> Overview:
    raise AssertionError("nobody asks")


def test_a_value_lies_between_its_bounds() -> None:
    found = bounded(client().ends("histogram_quantile(0.9, x_bucket)", 1000))
    assert (found.low.tolist(), found.answer.values.tolist(), found.high.tolist()) == ([[1.0]], [[1.5]], [[2.0]])


def test_an_expression_may_turn_quantiles_around() -> None:
    found = bounded(client().ends_range("-histogram_quantile(0.9, x_bucket)", 0, 1000, 1000))
    assert found.low.tolist() == [[-2.0, -2.0]]
    assert found.high.tolist() == [[-1.0, -1.0]]


def test_other_figures_are_certain() -> None:
    found = bounded(client().ends('x_bucket{le="1"}', 1000))
    assert found.low.tolist() == found.high.tolist() == [[8.0]]


def test_bounds_that_a_filter_has_taken_are_unknown() -> None:
    found = bounded(client().ends("histogram_quantile(0.9, x_bucket) > 1.2", 1000))
    assert found.answer.values.tolist() == [[1.5]]
    assert is_absent(found.low).all()


def test_ends_that_do_not_hold_the_value_are_no_bounds() -> None:
    quantiles = "histogram_quantile(0.9, x_bucket) - histogram_quantile(0.4, x_bucket)"
    found = bounded(client().ends(quantiles, 1000))
    assert found.answer.values.tolist() == [[1.0]]
    assert (found.low.tolist(), found.high.tolist()) == ([[1.0]], [[1.0]])
    half = bounded(client().ends("abs(histogram_quantile(0.9, x_bucket) - 1.5)", 1000))
    assert half.answer.values.tolist() == [[0.0]], "both ends are half a second away"
    assert is_absent(half.low).all()
    assert is_absent(half.high).all()


def test_infinities_are_their_own_bounds() -> None:
    found = bounded(client().ends("histogram_quantile(2, x_bucket)", 1000))
    assert found.low.tolist() == found.answer.values.tolist() == found.high.tolist() == [[np.inf]]


class Growing:
    """A reader whose histogram has twice the bounds whenever it is read: rows come between any two looks."""

    def __init__(self) -> None:
        self._scale = 1.0

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, **how: Any) -> list[Frame]:
        self._scale *= 2
        bounds = [*(f"{bound * self._scale:g}" for bound in (1, 2)), "+Inf"]
        labels = [series_of("x_bucket", le=le) for le in bounds]
        cells = np.array([[0.0, 8.0], [0.0, 10.0], [0.0, 10.0]])
        frame = Frame(labels, np.arange(2, dtype=np.int64) * 1000, cells)
        return MemoryReader([frame]).select(matchers, start_ms, end_ms, **how)

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        return [labels for frame in self.select(matchers, start_ms, end_ms) for labels in frame.labels]

    def families(self) -> dict[str, Family]:
        return {}


def test_a_value_lies_between_its_bounds_while_rows_come() -> None:
    local = LocalClient(PromEngine(Growing()), SystemClock(), no_overview, {})
    expr = "histogram_quantile(0.9, sum by (le) (rate(x_bucket[10s])))"
    for found in (bounded(local.ends(expr, 1000)), bounded(local.ends_range(expr, 1000, 1000, 1000))):
        low, value, high = (float(cells[0, 0]) for cells in (found.low, found.answer.values, found.high))
        assert low < value < high == 2 * low


def test_a_server_without_bounds_is_told_from_bounds_that_are_none() -> None:
    class Another(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Another) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        over = HttpClient(f"http://127.0.0.1:{server.server_address[1]}")
        try:
            with pytest.raises(ClientError, match="knows nothing of bounds"):
                over.ends("x", 0)
        finally:
            over.close()
            thread.join(5)
