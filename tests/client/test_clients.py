"""Both clients answer alike: what the dashboard sees in its own process and over HTTP."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from sanso.client.base import Client
from sanso.client.http import HttpClient
from sanso.model.errors import ClientError, QueryError
from sanso.model.series import Answer
from tests.web.hosted import START, hosted

NOW = START + 30_000


@pytest.fixture(scope="module")
def clients() -> Iterator[tuple[Client, HttpClient]]:
    with hosted() as (watching, url):
        over = HttpClient(url)
        yield watching.client, over
        over.close()


def same(one: Answer, other: Answer) -> None:
    assert one.kind == other.kind
    first = {labels: one.values[i] for i, labels in enumerate(one.labels)}
    second = {labels: other.values[i] for i, labels in enumerate(other.labels)}
    assert first.keys() == second.keys()
    assert one.times.tolist() == other.times.tolist() or not one.labels
    for labels, values in first.items():
        np.testing.assert_array_equal(values, second[labels])


@pytest.mark.parametrize("expr", ["up", "odd", "1 + 1", "nothing", "rate(jobs_total[10s])", "up[3s]"])
def test_instant_questions(clients: tuple[Client, HttpClient], expr: str) -> None:
    local, over = clients
    same(local.query(expr, NOW), over.query(expr, NOW))


def test_ranges(clients: tuple[Client, HttpClient]) -> None:
    local, over = clients
    same(local.query_range("up", NOW - 9000, NOW, 3000), over.query_range("up", NOW - 9000, NOW, 3000))


def test_overviews_and_histories(clients: tuple[Client, HttpClient]) -> None:
    local, over = clients
    one, other = local.overview(), over.overview()
    assert dataclasses.replace(one, sources=[]) == dataclasses.replace(other, sources=[])
    assert [source.name for source in one.sources] == [source.name for source in other.sources]
    names = ["cpu_percent", "memory_percent"]
    np.testing.assert_equal(local.histories(names, 10, 5), over.histories(names, 10, 5))


def test_a_wrong_question_is_the_same_error(clients: tuple[Client, HttpClient]) -> None:
    for client in clients:
        with pytest.raises(QueryError) as caught:
            client.query("sum(")
        assert caught.value.kind == "bad_data"


def test_several_threads_may_ask_one_client(clients: tuple[Client, HttpClient]) -> None:
    _, over = clients
    found: list[float | None] = []
    threads = [threading.Thread(target=lambda: found.append(over.query("jobs_total", NOW).first())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [58.0] * 8


def test_a_server_that_is_not_there_or_no_sanso() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = HttpClient(f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(ClientError, match="does not answer"):
            nobody.check()
    with pytest.raises(ClientError, match="is not a server's address"):
        HttpClient("localhost:3333")

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if "overview" in self.path else 500)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *arguments: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    stranger = HttpClient(f"http://127.0.0.1:{server.server_address[1]}")
    try:
        with pytest.raises(ClientError, match="does not speak Sanso's API"):
            stranger.overview()
        with pytest.raises(ClientError, match="answered 500"):
            stranger.check()
    finally:
        stranger.close()
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_client_finds_its_server_again_after_a_restart() -> None:
    with hosted() as (_, url):
        client = HttpClient(url)
        client.check()
    with pytest.raises(ClientError):
        client.check()
    client.close()
