"""Fetching a page: a kept connection, redirects, a time for everything."""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from sanso import __version__
from sanso.model.errors import SourceError
from sanso.sources.scrape.connection import Connection, HttpAnswer
from sanso.sources.scrape.credentials import header_lines
from sanso.sources.scrape.settings import HttpSettings
from sanso.sources.scrape.tls import TlsContexts

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 10
_PORTS = {"http": 80, "https": 443}
USER_AGENT = f"Sanso/{__version__}"


@dataclass(frozen=True)
class Wish:
    """What is asked besides the address.

    Attributes:
        headers: Names and values.
        most_bytes: Of the body, unpacked; 0 for no limit.
        timeout_s: For everything.
    """

    headers: tuple[tuple[str, str], ...]
    most_bytes: int
    timeout_s: float


class Fetcher:
    """Asks one server again and again over one connection; use it from one task at a time.

    Args:
        http: Credentials, redirects.
        tls: Of the job; its targets share it.
        buffer: Where pieces are received; those of one loop may share it.
    """

    def __init__(self, http: HttpSettings, tls: TlsContexts, buffer: memoryview) -> None:
        self._buffer = buffer
        self._http = http
        self._tls = tls
        self._kept: Connection | None = None
        self._origin: tuple[str, str] = ("", "")

    async def fetch(self, url: str, wish: Wish) -> HttpAnswer:
        """The page behind a URL, redirects followed.

        Raises:
            SourceError: It could not be had, or the status is not 200.
        """
        try:
            async with asyncio.timeout(wish.timeout_s):
                answer = await self._followed(url, wish)
        except TimeoutError as error:
            self.close()
            raise SourceError(f"context deadline exceeded: no whole answer within {wish.timeout_s:g} s") from error
        if answer.status != 200:
            raise SourceError(f"server returned HTTP status {answer.status} {answer.reason}".rstrip())
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    async def _followed(self, url: str, wish: Wish) -> HttpAnswer:
        first = _split(url)
        for _ in range(_MOST_REDIRECTS + 1):
            parts = _split(url)
            if parts.scheme not in _PORTS or not parts.hostname:
                raise SourceError(f"{url} is not an http address")
            # Credentials are for the server that they were given for.
            own = header_lines(self._http) if parts.netloc == first.netloc else []
            answer = await self._asked(parts, _request(parts, [*wish.headers, *own]), wish.most_bytes)
            where = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not where or not self._http.follow_redirects:
                return answer
            url = urljoin(url, where)
        raise SourceError(f"stopped after {_MOST_REDIRECTS} redirects")

    async def _asked(self, parts: SplitResult, request: bytes, most_bytes: int) -> HttpAnswer:
        origin = (parts.scheme, parts.netloc)
        kept = self._kept if self._origin == origin else None
        if kept is None or not kept.reusable:
            self.close()
        else:
            try:
                return await kept.ask(request, most_bytes)
            except SourceError:
                self.close()
                if not kept.fresh:
                    raise
        connection = await self._connect(parts)
        self._kept, self._origin = connection, origin
        return await connection.ask(request, most_bytes)

    async def _connect(self, parts: SplitResult) -> Connection:
        loop = asyncio.get_running_loop()
        host, port = parts.hostname or "", _port(parts)
        name = (self._http.tls.server_name or host) if parts.scheme == "https" else None
        context = self._tls.context() if parts.scheme == "https" else None
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(self._buffer), host, port, ssl=context, server_hostname=name
            )
        except ssl.SSLError as error:
            raise SourceError(f"TLS with {parts.netloc}: {error.reason or error}: {error}") from error
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise SourceError(f"dial tcp {host}:{port}: {reason.lower()}") from error
        return connection


@functools.lru_cache(maxsize=4096)
def _split(url: str) -> SplitResult:
    return urlsplit(url)


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or _PORTS[parts.scheme]
    except ValueError as error:
        raise SourceError(f"{parts.netloc}: {error}") from error


def _request(parts: SplitResult, headers: list[tuple[str, str]]) -> bytes:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    named = {name.lower() for name, _ in headers}
    lines = [f"GET {path} HTTP/1.1"]
    if "host" not in named:
        lines.append(f"Host: {host}")
    if "user-agent" not in named:
        lines.append(f"User-Agent: {USER_AGENT}")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")
