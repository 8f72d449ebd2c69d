"""Prometheus's remote write: POST /api/v1/write, versions 1.0 and 2.0."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response

from sanso.model.errors import DecodeError
from sanso.web.bodies import MOST_BYTES
from sanso.web.cross_origin import CrossOrigin
from sanso.web.errors import failure
from sanso.web.services import ReceiveRemoteWrite
from sanso.web.write_turns import Taken, WriteTurns

PATH = "/api/v1/write"
MOST_WAITING_BYTES = 64 << 20
"""Of bodies that are being received or wait for their turn; who sends more is asked to come again."""
_V1, _V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
_AGAIN = {"Retry-After": "1"}
_LATER = {"Retry-After": "5"}
_MOST_TERMS = 64

RawHeaders = Sequence[tuple[bytes, bytes]]


class Said(NamedTuple):
    """An answer."""

    status: int
    headers: RawHeaders
    body: bytes = b""

    @classmethod
    def of(cls, response: Response) -> Said:
        """The same as a response."""
        return cls(response.status_code, response.raw_headers, bytes(response.body))


class Terms(NamedTuple):
    """What the headers of a request say: the message that it brings, and the answer where it is refused."""

    message: str
    refusal: Said | None = None


class WriteDoor:
    """Takes write requests.

    Args:
        receive_all: Takes several, in a thread of its own.
        origins: Who may write from a browser.
        most_bytes: How much may wait.

    Attributes:
        held_bytes: How much waits.
    """

    def __init__(
        self, receive_all: ReceiveRemoteWrite, origins: CrossOrigin, most_bytes: int = MOST_WAITING_BYTES
    ) -> None:
        self.turns = WriteTurns(receive_all, PATH)
        self.most_bytes = most_bytes
        self.held_bytes = 0
        self._origins = origins
        self._terms: dict[tuple[object, ...], Terms] = {}

    def begin(self, method: str, headers: RawHeaders, server: str) -> Writing:
        """A request whose body will come.

        Args:
            method: Of HTTP.
            headers: With names in lower case.
            server: The address that it was sent to.
        """
        key = (method, server, *(each for each in headers if each[0] != b"content-length"))
        terms = self._terms.get(key)
        if terms is None:
            if len(self._terms) >= _MOST_TERMS:
                self._terms.clear()
            terms = self._terms[key] = self._agreed(method, Headers(raw=list(headers)), server)
        return Writing(self, terms)

    def _agreed(self, method: str, headers: Headers, server: str) -> Terms:
        refused = self._origins.refused({"method": method, "server": (server, None)}, headers)
        if refused is not None:
            return Terms("", Said.of(refused))
        if method != "POST":
            return Terms("", _said("POST a remote-write request", 405, {"Allow": "POST"}))
        message, problem = _negotiated(headers)
        return Terms(message, _said(problem, 415) if problem else None)


class Writing:
    """A write request that is being received.

    Args:
        door: Its door.
        terms: What its headers say.
    """

    def __init__(self, door: WriteDoor, terms: Terms) -> None:
        self._door = door
        self._message, self._refusal = terms
        self._parts: list[bytes] = []
        self._bytes = 0

    def add(self, part: bytes) -> None:
        """A part of its body; passed over where it is refused."""
        if self._refusal is not None:
            return
        self._bytes += len(part)
        self._door.held_bytes += len(part)
        if self._bytes > MOST_BYTES:
            self._refuse(f"the body is larger than {MOST_BYTES >> 20} MiB: send fewer samples a request", 413)
        elif self._door.held_bytes > self._door.most_bytes:
            self._refuse("too much is waiting to be written: try again", 429, _AGAIN)
        else:
            self._parts.append(part)

    def end(self, answer: Callable[[Said], None]) -> None:
        """All of its body is there: it is answered when its turn is over."""
        if self._refusal is not None:
            answer(self._refusal)
            return

        def taken(found: Taken) -> None:
            self.abandon()
            answer(_answer(found, self._message))

        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._door.turns.submit(body, self._message, taken)

    def abandon(self) -> None:
        """What it holds is let go."""
        self._door.held_bytes -= self._bytes
        self._bytes = 0
        self._parts.clear()

    def _refuse(self, text: str, status: int, headers: dict[str, str] | None = None) -> None:
        self._refusal = _said(text, status, headers)
        self.abandon()


def _negotiated(headers: Headers) -> tuple[str, str]:
    """The message that the headers name, and what is wrong with them; without headers, version 1.0 in snappy."""
    message = _message(headers.get("content-type", "") or "application/x-protobuf")
    encoding = headers.get("content-encoding", "").strip().lower() or "snappy"
    if not message:
        return "", "send application/x-protobuf (remote write 1.0 or 2.0)"
    if encoding != "snappy":
        return "", f"content encoding {encoding!r} is not known: send snappy"
    return message, ""


def _answer(found: Taken, message: str) -> Said:
    if found is None:
        text = "unexpected error: RuntimeError: the request could not be taken"
        return Said.of(failure("internal", text, 500))
    if isinstance(found, DecodeError):
        return _said(str(found), 400, _counts(0, 0, 0) if message == _V2 else None)
    if found.problem or not found.durable:
        headers = _counts(found.samples, found.histograms, found.exemplars)
        if not found.durable:
            return _said("history cannot be written at the moment: try again", 503, {**headers, **_LATER})
        return _said(found.problem, 400, headers)
    return _done(found.samples, found.histograms, found.exemplars)


@functools.lru_cache(maxsize=256)
def _done(samples: int, histograms: int, exemplars: int) -> Said:
    counts = _counts(samples, histograms, exemplars)
    return Said(204, [(name.lower().encode(), value.encode()) for name, value in counts.items()])


def _counts(samples: int, histograms: int, exemplars: int) -> dict[str, str]:
    return {
        "X-Prometheus-Remote-Write-Samples-Written": str(samples),
        "X-Prometheus-Remote-Write-Histograms-Written": str(histograms),
        "X-Prometheus-Remote-Write-Exemplars-Written": str(exemplars),
    }


def _message(content_type: str) -> str:
    """The message that a content type names; empty where it is none of ours."""
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if kind.lower() != "application/x-protobuf":
        return ""
    named = [value.strip('"') for key, _, value in (part.partition("=") for part in parameters) if key == "proto"]
    message = named[0] if named else _V1
    return message if message in (_V1, _V2) else ""


def _said(text: str, status: int, headers: dict[str, str] | None = None) -> Said:
    return Said.of(PlainTextResponse(text + "\n", status, headers))
