"""Where the sdk pushes, and that no server can hold it up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from sanso.sdk.push import DEFAULT_ENDPOINT, Destination, Pusher, destination, resource_attributes
from tests.peers import free_port
from tests.sdk.receiver import receiving


@pytest.mark.parametrize(
    ("endpoint", "environment", "url"),
    [
        (None, {}, "http://127.0.0.1:4318/v1/metrics"),
        ("http://h:1", {}, "http://h:1/v1/metrics"),
        ("http://h:1/", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://other"}, "http://h:1/v1/metrics"),
        ("https://h/otlp/v1/metrics", {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://x"}, "https://h/otlp/v1/metrics"),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:2/base"}, "http://h:2/base/v1/metrics"),
        (None, {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://h:3/exactly"}, "http://h:3/exactly"),
    ],
)
def test_the_endpoint_is_opentelemetrys(endpoint: str | None, environment: dict[str, str], url: str) -> None:
    assert destination(endpoint, environment) == Destination(url)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "ftp://h", "http://", "http://h:port"])
def test_what_is_no_address_is_refused_with_advice(endpoint: str) -> None:
    with pytest.raises(ValueError, match=f"write it as {DEFAULT_ENDPOINT}"):
        destination(endpoint, {})


def test_headers_and_compression_come_from_the_environment() -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20eA%3D%3D, x-tenant=a",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    with receiving() as receiver:
        to = destination(receiver.url, environment)
        assert to.headers == {"Authorization": "Basic eA==", "x-tenant": "a"}
        with closing(Pusher(to)) as pusher:
            assert pusher.send(b"", 2)
        (headers,) = receiver.headers
        assert headers["x-tenant"] == "a"
        assert headers["Content-Encoding"] == "gzip"
        assert headers["Content-Type"] == "application/x-protobuf"
        assert receiver.paths == ["/v1/metrics"]


def test_an_answer_that_is_not_2xx_is_a_failure_and_the_connection_is_kept() -> None:
    with receiving() as receiver, closing(Pusher(destination(receiver.url, {}))) as pusher:
        receiver.status = 503
        assert not pusher.send(b"", 2)
        receiver.status = 200
        assert pusher.send(b"", 2)


def test_a_dead_server_is_a_failure_at_once() -> None:
    with closing(Pusher(destination(f"http://127.0.0.1:{free_port()}", {}))) as pusher:
        assert not pusher.send(b"x", 2)


@contextmanager
def speaking(*answers: bytes, pause: float = 0.0, repeat: int = 1) -> Iterator[str]:
    """A server that answers each connection with the next bytes, then closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    for _ in range(repeat):
                        if ended.wait(pause):
                            return
                        try:
                            connection.sendall(answer)
                        except OSError:
                            break

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            thread.join(5)


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def test_a_kept_connection_that_was_closed_is_made_anew() -> None:
    with speaking(ANSWER, ANSWER) as url, closing(Pusher(destination(url, {}))) as pusher:
        assert pusher.send(b"x", 2)
        assert pusher.send(b"x", 2)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 70_000])
def test_an_answer_that_is_no_http_is_a_failure(answer: bytes) -> None:
    with speaking(answer) as url, closing(Pusher(destination(url, {}))) as pusher:
        assert not pusher.send(b"x", 2)


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000) as url, closing(Pusher(destination(url, {}))) as pusher:
        assert pusher.send(b"x", 2)


def test_a_server_that_drips_cannot_hold_a_push_longer_than_its_time() -> None:
    with speaking(b"H", pause=0.05, repeat=100) as url, closing(Pusher(destination(url, {}))) as pusher:
        started = time.monotonic()
        assert not pusher.send(b"x", 0.3)
        assert time.monotonic() - started < 1.5


def test_a_server_that_is_silent_cannot_either() -> None:
    with receiving(answer_after=1.0) as receiver, closing(Pusher(destination(receiver.url, {}))) as pusher:
        started = time.monotonic()
        assert not pusher.send(b"", 0.2)
        assert time.monotonic() - started < 0.9


def test_a_process_says_who_it_is() -> None:
    about = resource_attributes("checkout", "i")
    assert about["service.name"] == "checkout"
    assert about["service.instance.id"] == "i"
    assert {"process.pid", "host.name", "telemetry.sdk.name"} <= about.keys()


def test_a_server_that_left_for_good_is_a_failure() -> None:
    with speaking(ANSWER) as url:
        pusher = Pusher(destination(url, {}))
        assert pusher.send(b"x", 2)
    assert not pusher.send(b"x", 2)


def test_a_server_that_does_not_speak_tls_is_a_failure() -> None:
    with receiving() as receiver, closing(Pusher(destination(receiver.url.replace("http", "https"), {}))) as pusher:
        assert not pusher.send(b"x", 1)
