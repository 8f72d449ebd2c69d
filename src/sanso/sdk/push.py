"""Carries requests to the server over one kept connection, within a time limit, and without ever raising."""

from __future__ import annotations

import gzip
import http.client
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

DEFAULT_ENDPOINT = "http://127.0.0.1:4318"
_PATH = "/v1/metrics"
_LONGEST_ANSWER = 65_536


@dataclass(frozen=True)
class Destination:
    """Where to push.

    Attributes:
        url: The full address, http or https.
        headers: What to send along, as `OTEL_EXPORTER_OTLP_HEADERS` says.
        compress: Whether bodies are compressed, as `OTEL_EXPORTER_OTLP_COMPRESSION` says.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    compress: bool = False


def destination(endpoint: str | None, environment: Mapping[str, str]) -> Destination:
    """The destination of an endpoint, or of OpenTelemetry's environment variables where there is none.

    Raises:
        ValueError: The endpoint is no http address.
    """
    exact = environment.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "")
    url = endpoint or exact or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "") or DEFAULT_ENDPOINT
    if (endpoint or not exact) and not url.rstrip("/").endswith(_PATH):
        url = url.rstrip("/") + _PATH
    if not _is_address(url):
        raise ValueError(f"endpoint {url!r} is no address: write it as {DEFAULT_ENDPOINT}")
    pairs = (pair.partition("=") for pair in environment.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(",") if pair)
    headers = {unquote(name.strip()): unquote(value.strip()) for name, _, value in pairs}
    return Destination(url, headers, environment.get("OTEL_EXPORTER_OTLP_COMPRESSION") == "gzip")


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    with suppress(ValueError):
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    return False


class Pusher:
    """One connection to one destination; used by one thread at a time."""

    def __init__(self, to: Destination) -> None:
        parts = urlsplit(to.url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._compress = to.compress
        self._headers = {"Content-Type": "application/x-protobuf", "User-Agent": "sanso-sdk", **to.headers}
        self._connection: http.client.HTTPConnection | None = None

    def send(self, body: bytes, timeout: float) -> bool:
        """Post a request; False where it was not taken. A kept connection that turns out closed is made anew."""
        headers = self._headers
        if self._compress:
            body, headers = gzip.compress(body, 1), {**headers, "Content-Encoding": "gzip"}
        deadline = time.monotonic() + timeout
        kept = self._connection is not None
        with suppress(OSError, http.client.HTTPException, ValueError):
            return self._post(body, headers, deadline)
        self.close()
        if not kept or time.monotonic() >= deadline:
            return False
        with suppress(OSError, http.client.HTTPException, ValueError):
            return self._post(body, headers, deadline)
        self.close()
        return False

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _post(self, body: bytes, headers: Mapping[str, str], deadline: float) -> bool:
        connection = self._connection or self._connect(deadline)
        self._connection = connection
        if isinstance(connection.sock, _TimedSocket):
            connection.sock.deadline = deadline
        elif connection.sock is not None:
            connection.sock.settimeout(max(deadline - time.monotonic(), 0.001))
        connection.request("POST", self._path, body, dict(headers))
        answer = connection.getresponse()
        # Whatever is longer than any answer to a push is not worth reading, nor is the connection worth keeping.
        if len(answer.read(_LONGEST_ANSWER)) == _LONGEST_ANSWER or answer.will_close:
            self.close()
        return 200 <= answer.status < 300

    def _connect(self, deadline: float) -> http.client.HTTPConnection:
        timeout = max(deadline - time.monotonic(), 0.001)
        if self._secure:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout)
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        plain = socket.create_connection((self._host, self._port), timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock = _TimedSocket(plain, deadline)
        return connection


class _TimedSocket(socket.socket):
    """A socket whose deadline holds for all it does together: a server that sends a byte a second cannot hold us."""

    def __init__(self, plain: socket.socket, deadline: float) -> None:
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self.deadline = deadline

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        self._limit()
        return super().recv_into(buffer, nbytes, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        self._limit()
        super().sendall(data, flags)

    def _limit(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server took too long")
        self.settimeout(left)


def resource_attributes(service: str, instance: str) -> dict[str, str | int]:
    """Who pushes: OpenTelemetry's resource attributes of this process."""
    return {
        "service.name": service,
        "service.instance.id": instance,
        "process.pid": os.getpid(),
        "host.name": socket.gethostname(),
        "telemetry.sdk.name": "sanso",
        "telemetry.sdk.language": "python",
    }
