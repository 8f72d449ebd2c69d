from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.errors import SourceError
from sanso.sources.scrape.connection import Connection, HttpAnswer, new_buffer
from tests.sources.scrape.answering import page

MOST = 1000
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.0 200 OK\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"Content-Length: 5\r\n",
            b"Content-Length: -1\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Content-Encoding: gzip\r\n",
            b"Connection: close\r\n",
            b"\r\n",
            b"5\r\nup 1\n\r\n",
            b"0\r\n\r\n",
            b"up 1\n",
        ]
    ),
)


class FakeTransport(asyncio.Transport):
    """Takes what is written; can be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def write(self, data: Any) -> None:
        pass

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def answered(pieces: list[bytes]) -> HttpAnswer | SourceError:
    buffer = new_buffer()
    connection, transport = Connection(buffer), FakeTransport()
    connection.connection_made(transport)
    task = asyncio.ensure_future(connection.ask(b"GET / HTTP/1.1\r\n\r\n", MOST))
    await asyncio.sleep(0)
    for piece in pieces:
        connection.get_buffer(-1)[: len(piece)] = piece
        connection.buffer_updated(len(piece))
        buffer[: len(piece)] = bytes(len(piece))  # the next connection's piece may be anything
    connection.connection_lost(None)
    try:
        return await task
    except SourceError as error:
        return error


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=12))
def test_whatever_comes_is_an_answer_or_an_error(pieces: list[bytes]) -> None:
    found = asyncio.run(asyncio.wait_for(answered(pieces), 5))
    assert isinstance(found, SourceError) or len(found.body) <= MOST


@given(st.binary(max_size=MOST), st.data())
def test_an_answer_is_the_same_however_it_is_cut(body: bytes, data: st.DataObject) -> None:
    sent = page(body, "Content-Type: text/plain")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    found = asyncio.run(answered([piece for piece in pieces if piece]))
    assert isinstance(found, HttpAnswer)
    assert (found.status, found.body, found.headers["content-type"]) == (200, body, "text/plain")
