"""One kept HTTP/1.1 connection on an asyncio loop: a request, its answer, the next one."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass, field

import httptools

from sanso.model.errors import SourceError

_MOST_HEADER_BYTES = 1 << 20
_BUFFER_BYTES = 1 << 18
_GZIP = 31
"""zlib's window bits for gzip."""


@dataclass
class HttpAnswer:
    """What came back.

    Attributes:
        status: The code.
        reason: The text behind it.
        headers: By lower-case name; the last one of a name counts.
        body: Unpacked.
    """

    status: int = 0
    reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def new_buffer() -> memoryview:
    """A buffer for connections."""
    return memoryview(bytearray(_BUFFER_BYTES))


class BodyTooLargeError(SourceError):
    """The page is longer than what is allowed."""


class Connection(asyncio.BufferedProtocol):
    """Asks one thing at a time; what is not HTTP ends it.

    Args:
        buffer: Where pieces are received; connections of one loop may share it, for each piece is read at once. (A new
            one for each piece costs more than reading it.)

    Attributes:
        reusable: Whether another request may follow.
        fresh: No byte of an answer has come since the last request: a kept connection may have been closed meanwhile.
    """

    def __init__(self, buffer: memoryview) -> None:
        self._buffer = buffer
        self.reusable = False
        self.fresh = True
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[HttpAnswer] | None = None
        self._answer = HttpAnswer()
        self._body = bytearray()
        self._most = 0
        self._unpacker: zlib._Decompress | None = None
        self._header_bytes = 0
        self._in_body = False

    async def ask(self, request: bytes, most_bytes: int) -> HttpAnswer:
        """Send a request and wait for the whole answer.

        Args:
            request: Headers and the empty line behind them.
            most_bytes: Of the body, unpacked; 0 for no limit.

        Raises:
            SourceError: The connection ended, or what came is not HTTP.
            BodyTooLargeError: The body is longer than it may be.
        """
        if self._transport is None or self._transport.is_closing():
            raise SourceError("the connection is closed")
        self._most = most_bytes
        self.fresh = True
        self.reusable = False
        self._begin()
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._waiting
        finally:
            self._waiting = None
            if not self.reusable:
                self.close()

    def close(self) -> None:
        """Let go at once."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - there is one buffer
        """Where the next piece is to be put."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """A piece of the answer is there."""
        if self._waiting is None or self._waiting.done():  # nothing was asked: not a server to go on with
            self.close()
            return
        self.fresh = False
        if not self._in_body:
            self._header_bytes += nbytes
        try:
            self._parser.feed_data(self._buffer[:nbytes])
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self._fail(cause if isinstance(cause, SourceError) else SourceError(f"the answer is broken: {cause}"))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(SourceError(f"malformed HTTP response: {error}"))
        if not self._in_body and self._header_bytes > _MOST_HEADER_BYTES:
            self._fail(SourceError("the headers of the answer have no end"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed by either side."""
        self.reusable = False
        if exc is None and self._in_body and not {"content-length", "transfer-encoding"} & self._answer.headers.keys():
            self._finish()  # a body that ends with the connection
            return
        self._fail(SourceError(f"the connection broke: {exc}" if exc else "unexpected EOF: the connection was closed"))

    # httptools calls these.

    def on_status(self, reason: bytes) -> None:
        """The text behind the code."""
        self._answer.reason += reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        """The body comes."""
        self._answer.status = self._parser.get_status_code()
        self._in_body = True
        coding = self._answer.headers.get("content-encoding", "").lower()
        if coding in ("gzip", "x-gzip"):
            self._unpacker = zlib.decompressobj(_GZIP)
        elif coding not in ("", "identity"):
            raise SourceError(f"content encoding {coding!r} was not asked for")

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if self._unpacker is None:
            self._body += piece
        else:
            room = self._most - len(self._body) + 1 if self._most else 0
            try:
                self._body += self._unpacker.decompress(piece, max(room, 1) if self._most else 0)
            except zlib.error as error:
                raise SourceError(f"the body is not gzip: {error}") from error
        if self._most and len(self._body) > self._most:
            raise BodyTooLargeError(f"body size limit exceeded: more than {self._most} bytes")

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if 100 <= self._answer.status < 200:  # a word in between; the answer follows
            self._begin()
            return
        self.reusable = bool(self._parser.should_keep_alive())
        self._finish()

    def _begin(self) -> None:
        self._answer = HttpAnswer()
        self._body = bytearray()
        self._unpacker = None
        self._header_bytes = 0
        self._in_body = False

    def _finish(self) -> None:
        if self._unpacker is not None and not self._unpacker.eof:
            self.reusable = False
            self._fail(SourceError("unexpected EOF: the gzip body is cut off"))
            return
        self._answer.body = bytes(self._body)
        self._body = bytearray()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(self._answer)

    def _fail(self, error: SourceError) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
