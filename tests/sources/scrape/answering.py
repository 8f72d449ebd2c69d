"""A server that answers with given bytes, request by request; and certificates for it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers import require_program

Answer = Callable[[str], AsyncIterator[bytes] | bytes]
"""From a request's head to what is sent back, piece by piece or at once; an empty piece closes the connection."""


@dataclass
class Answering:
    """A running server.

    Attributes:
        port: Where.
        requests: Heads of the requests so far.
        connections: How many there were.
    """

    port: int = 0
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/metrics", scheme: str = "http") -> str:
        """An address on it."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"


def page(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """An answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def answering(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[Answering]:
    """The server, for as long as the block runs."""
    found = Answering()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                found.requests.append(head)
                async for piece in pieces(answer(head)):
                    if not piece:
                        writer.close()
                        return
                    writer.write(piece)
                    await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


async def pieces(answer: AsyncIterator[bytes] | bytes) -> AsyncIterator[bytes]:
    """What is sent, piece by piece."""
    if isinstance(answer, bytes):
        yield answer
        return
    async for piece in answer:
        yield piece


@dataclass(frozen=True)
class Certificate:
    """A certificate that signs itself, and its key."""

    cert: Path
    key: Path

    def context(self, ca: Path | None = None) -> ssl.SSLContext:
        """Of a server; with `ca` it asks for a client's certificate."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.cert, self.key)
        if ca is not None:
            made.verify_mode = ssl.CERT_REQUIRED
            made.load_verify_locations(ca)
        return made


def certificate(folder: Path, name: str) -> Certificate:
    """One for localhost and 127.0.0.1, made by openssl."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = [require_program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", made.key, "-out", made.cert], check=True, capture_output=True, timeout=30)
    return made
