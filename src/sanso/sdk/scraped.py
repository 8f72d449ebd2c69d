"""Endpoints that give the page of a Telemetry to scrapers, for both kinds of Python web servers."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from typing import TypeAlias

from sanso.sdk.asgi import Receive, Scope, Send
from sanso.sdk.wsgi import Environ, StartResponse

Exposition: TypeAlias = Callable[[str], tuple[str, bytes]]
"""From an Accept header to content type and body."""

_ALLOWED = ("GET", "HEAD")
_COMPRESSED_FROM = 1400


class MetricsWsgi:
    """A WSGI application that answers every path with the page."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        method = str(environ.get("REQUEST_METHOD", "GET"))
        accept, encodings = (str(environ.get(f"HTTP_{name}", "")) for name in ("ACCEPT", "ACCEPT_ENCODING"))
        status, headers, body = _answer(self._exposition, method, accept, encodings)
        start_response(f"{status} {'OK' if status == 200 else 'Method Not Allowed'}", headers)
        return [body]


class MetricsAsgi:
    """An ASGI application that answers every path with the page, made in a thread; for servers on asyncio."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answer one request."""
        import asyncio  # an application that pushes needs none of it

        if scope["type"] != "http":
            raise ValueError(f"metrics are told over http, not {scope['type']}: mount this application at a path")
        found = {bytes(key).lower(): bytes(value).decode("latin-1") for key, value in scope["headers"]}
        accept, encodings = found.get(b"accept", ""), found.get(b"accept-encoding", "")
        status, headers, body = await asyncio.to_thread(
            _answer, self._exposition, str(scope["method"]), accept, encodings
        )
        raw = [(key.lower().encode(), value.encode()) for key, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


def _answer(
    exposition: Exposition, method: str, accept: str, encodings: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    if method not in _ALLOWED:
        return 405, [("Allow", ", ".join(_ALLOWED)), ("Content-Length", "0")], b""
    kind, body = exposition(accept)
    headers = [("Content-Type", kind), ("Vary", "Accept, Accept-Encoding")]
    if len(body) >= _COMPRESSED_FROM and _takes_gzip(encodings):
        body = gzip.compress(body, 1)
        headers.append(("Content-Encoding", "gzip"))
    headers.append(("Content-Length", str(len(body))))
    return 200, headers, b"" if method == "HEAD" else body


def _takes_gzip(encodings: str) -> bool:
    for clause in encodings.lower().split(","):
        coding, _, weight = clause.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return weight.strip("0.") != "" or not weight
    return False
