"""HTTP as the server speaks it: uvicorn's, but for write requests, which come by the thousand.

Those go from the parser to their door and back without an application between: no task, no messages, no queue of their
own. In uvicorn's protocol such a request stands where it has its own, so that order, keeping alive and ending are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from sanso.web.remote_write import Said, WriteDoor, Writing

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """One connection.

    Args:
        doors: Of write requests, by path.
        arguments: As uvicorn gives them.
    """

    def __init__(self, *, doors: Mapping[bytes, WriteDoor], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._doors = doors
        self.cycle: Any  # uvicorn's, or ours

    def on_headers_complete(self) -> None:
        """A write request goes its own way."""
        door = self._doors.get(self.url.partition(b"?")[0])
        if door is None:
            super().on_headers_complete()
            return
        before = self.cycle
        alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        server = self.server[0] if self.server else ""
        cycle = _Cycle(self, door.begin(self.parser.get_method().decode(), self.headers, server), keep_alive=alive)
        self.cycle = cycle
        if self.expect_100_continue:
            self.transport.write(_CONTINUE)
        if before is None or before.response_complete:
            cycle.start()
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if isinstance(self.cycle, _Cycle):
            self.cycle.writing.add(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is there."""
        if isinstance(self.cycle, _Cycle):
            self.cycle.end()
        else:
            super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits any more."""
        for cycle in (self.cycle, *(waiting for waiting, _ in self.pipeline)):
            if isinstance(cycle, _Cycle):
                cycle.writing.abandon()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """It is the turn of a request that came before the one before it was answered."""
        if isinstance(cycle, _Cycle):
            cycle.start()
        else:
            super()._start_asgi_task(cycle, app)

    def answer(self, cycle: _Cycle, said: Said) -> None:
        """Send the answer of the request whose turn it is."""
        if self.transport.is_closing():
            return
        parts = [STATUS_LINE[said.status]]
        for name, value in (*self.server_state.default_headers, *said.headers):
            parts += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            parts.append(b"connection: close\r\n")
        self.transport.write(b"".join((*parts, b"\r\n", said.body)))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()


class _Cycle:
    """A write request in the place of uvicorn's own.

    Attributes:
        writing: What it is.
        keep_alive: Whether the connection stays.
        response_complete: Whether it is answered.
        disconnected: Whether nobody waits any more.
        message_event: Itself: nobody waits for it.
    """

    def __init__(self, protocol: Protocol, writing: Writing, *, keep_alive: bool) -> None:
        self._protocol = protocol
        self.writing = writing
        self.keep_alive = keep_alive
        self.response_complete = self.disconnected = False
        self.message_event = self
        self._started = self._ended = False

    def set(self) -> None:
        """As an event has it."""

    def start(self) -> None:
        """Requests before it are answered."""
        self._started = True
        self._submit()

    def end(self) -> None:
        """The body is there."""
        self._ended = True
        self._submit()

    def _submit(self) -> None:
        if self._started and self._ended:
            self.writing.end(self._said)

    def _said(self, said: Said) -> None:
        self.response_complete = True
        self._protocol.answer(self, said)
