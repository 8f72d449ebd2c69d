"""Write requests on connections as clients of all kinds use them, spoken by hand."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from sanso.model.errors import DecodeError
from sanso.model.labels import series_of
from sanso.sources.remote_write import Written
from sanso.web import remote_write
from tests.sources.remote_write_requests import packed
from tests.sources.test_remote_write import v1
from tests.web.hosted import START, hosted

BODY = packed(v1([(series_of("pushed"), [(START, 1.0)])]))
ASKED = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"


def written(body: bytes = BODY, *more: str, method: str = "POST", version: str = "1.1") -> bytes:
    """A request, head and body."""
    lines = [f"{method} /api/v1/write HTTP/{version}", "Host: localhost", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Talk:
    """A connection, and what it says."""

    def __init__(self, url: str) -> None:
        self.socket = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=10)
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        status = int(self._file.readline().split()[1])
        headers = {}
        while line := self._file.readline().strip().decode():
            name, _, value = line.partition(": ")
            assert name not in headers
            headers[name] = value
        return status, headers, self._file.read(int(headers.get("content-length", 0)))

    def at_end(self) -> bool:
        return self._file.read(1) == b""

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@contextmanager
def talking(**changed: Any) -> Iterator[Talk]:
    with hosted(**changed) as (_, url):
        talk = Talk(url)
        yield talk
        talk.close()


def test_requests_sent_one_behind_the_other_are_answered_in_order() -> None:
    with talking() as talk:
        wrong = written(b"\x05nonsense")
        talk.send(written() + ASKED + wrong + written() + ASKED + ASKED + written())
        assert [talk.answer()[0] for _ in range(7)] == [204, 200, 400, 204, 200, 200, 204]
        talk.send(written())
        status, headers, body = talk.answer()
        assert (status, body) == (204, b"")
        assert headers["x-prometheus-remote-write-samples-written"] == "1"
        assert {"date", "server"} <= headers.keys()
        assert "content-length" not in headers


def test_a_body_may_come_in_pieces() -> None:
    with talking() as talk:
        for byte in written():
            talk.send(bytes([byte]))
        assert talk.answer()[0] == 204
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:]))
        talk.send(b"POST /api/v1/write?x=y HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        talk.send(chunks + b"0\r\n\r\n")
        assert talk.answer()[0] == 204


def test_a_sender_that_waits_to_be_told_to_go_on_is_told() -> None:
    with talking() as talk:
        whole = written(BODY, "Expect: 100-continue")
        talk.send(whole[: -len(BODY)])
        assert talk.answer()[0] == 100
        talk.send(BODY)
        assert talk.answer()[0] == 204


@pytest.mark.parametrize(("more", "version"), [(("Connection: close",), "1.1"), ((), "1.0")])
def test_a_connection_ends_with_the_answer_where_the_sender_wants_that(more: tuple[str, ...], version: str) -> None:
    with talking() as talk:
        talk.send(written(BODY, *more, version=version))
        status, headers, _ = talk.answer()
        assert (status, headers["connection"]) == (204, "close")
        assert talk.at_end()


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        (written(b"", method="GET"), 405, b"POST a remote-write request"),
        (written(BODY, "Origin: http://evil.example"), 403, b"writes from http://evil.example are refused"),
        (written().replace(b"localhost", b"evil.example"), 403, b"host evil.example is not served here"),
        (written(b"x" * 2000), 413, b"send fewer samples"),
        (written(BODY, "Content-Encoding: gzip"), 415, b"send snappy"),
    ],
)
def test_what_is_refused_is_read_to_its_end_and_the_connection_goes_on(
    monkeypatch: pytest.MonkeyPatch, request_: bytes, status: int, said: bytes
) -> None:
    monkeypatch.setattr(remote_write, "MOST_BYTES", 1000)
    with talking() as talk:
        talk.send(request_)
        found, _, body = talk.answer()
        assert (found, said in body) == (status, True)
        talk.send(written())
        assert talk.answer()[0] == 204


def test_who_hangs_up_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    doors = []
    made = remote_write.WriteDoor.__init__

    def noted(self: remote_write.WriteDoor, *arguments: Any) -> None:
        doors.append(self)
        made(self, *arguments)

    monkeypatch.setattr(remote_write.WriteDoor, "__init__", noted)
    go_on = threading.Event()

    def held_up(requests: Sequence[tuple[bytes, str]]) -> list[Written | DecodeError]:
        assert go_on.wait(10)
        return [Written(1) for _ in requests]

    with talking(receive_remote_write=held_up) as talk:
        (door,) = doors
        talk.send(written() + written() + written(b"x" * 500)[:-100])
        while door.held_bytes != 2 * len(BODY) + 400:
            time.sleep(0.01)
        talk.close()
        while door.held_bytes != len(BODY):  # the one that is being taken
            time.sleep(0.01)
        go_on.set()
        while door.held_bytes:
            time.sleep(0.01)


def test_a_server_that_stops_answers_what_it_is_taking() -> None:
    began, go_on = threading.Event(), threading.Event()

    def held_up(requests: Sequence[tuple[bytes, str]]) -> list[Written | DecodeError]:
        began.set()
        assert go_on.wait(10)
        return [Written(1) for _ in requests]

    answers = []
    with hosted(receive_remote_write=held_up) as (_, url):
        talk = Talk(url)
        talk.send(written())
        assert began.wait(10)
        threading.Timer(0.3, go_on.set).start()
        reading = threading.Thread(target=lambda: answers.append((talk.answer()[:2], talk.at_end())))
        reading.start()
    reading.join(10)
    talk.close()
    (((status, headers), ended),) = answers
    assert (status, headers["connection"], ended) == (204, "close", True)
