from __future__ import annotations

import asyncio
import base64
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sanso.model.errors import SourceError
from sanso.sources.scrape.connection import BodyTooLargeError, HttpAnswer, new_buffer
from sanso.sources.scrape.fetch import Fetcher, Wish
from sanso.sources.scrape.settings import HttpSettings, Secret, TlsSettings
from sanso.sources.scrape.tls import TlsContexts
from tests.peers import free_port
from tests.sources.scrape.answering import Answer, Answering, answering, certificate, page

WISH = Wish((("Accept", "x/y"), ("Accept-Encoding", "gzip")), 10_000, 5.0)
BODY = b"up 1\n"


def fetcher(http: HttpSettings | None = None) -> Fetcher:
    settings = http or HttpSettings()
    return Fetcher(settings, TlsContexts(settings.tls), new_buffer())


async def fetched(answer: Answer, wish: Wish = WISH, http: HttpSettings | None = None) -> tuple[HttpAnswer, Answering]:
    asking = fetcher(http)
    async with answering(answer) as server:
        try:
            return await asking.fetch(server.url(), wish), server
        finally:
            asking.close()


async def refused(answer: Answer, wish: Wish = WISH, http: HttpSettings | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        await fetched(answer, wish, http)
    return str(caught.value)


async def test_a_page_and_what_is_asked() -> None:
    found, server = await fetched(lambda _: page(BODY, "Content-Type: text/plain; version=0.0.4"))
    assert (found.status, found.body) == (200, BODY)
    assert found.headers["content-type"] == "text/plain; version=0.0.4"
    head = server.requests[0].split("\r\n")
    assert head[0] == "GET /metrics HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in head
    assert "Accept: x/y" in head
    assert any(line.startswith("User-Agent: Sanso/") for line in head)


async def test_a_connection_is_kept_and_replaced_when_it_is_gone() -> None:
    asking = fetcher()
    answers = iter([page(BODY), page(BODY), b"", page(BODY), page(BODY, "Connection: close"), page(BODY)])
    async with answering(lambda _: next(answers)) as server:
        for connections in (1, 1, 2, 2, 3):  # the third request meets a closed door, and is asked again on a new one
            assert (await asking.fetch(server.url(), WISH)).body == BODY
            assert server.connections == connections
    asking.close()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(page(gzip.compress(BODY), "Content-Encoding: gzip"), id="gzip"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nup \r\n2\r\n1\n\r\n0\r\n\r\n", id="chunked"
        ),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + page(BODY), id="a word in between"),
        pytest.param(page(BODY).replace(b"\r\n\r\n", b"\r\nX-Long: " + b"x" * 5000 + b"\r\n\r\n"), id="long header"),
    ],
)
async def test_ways_to_send_a_page(sent: bytes) -> None:
    assert (await fetched(lambda _: sent))[0].body == BODY


async def test_a_page_that_ends_with_the_connection() -> None:
    async def answer(_: str) -> AsyncIterator[bytes]:
        yield b"HTTP/1.0 200 OK\r\n\r\n" + BODY
        yield b""

    assert (await fetched(answer))[0].body == BODY


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        pytest.param(page(b"", status="500 Sorry"), "server returned HTTP status 500 Sorry", id="status"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", "malformed HTTP response", id="not HTTP"),
        pytest.param(page(b"x" * 10_001), "body size limit exceeded", id="too long"),
        pytest.param(page(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip"), "body size limit", id="bomb"),
        pytest.param(page(b"nogzip", "Content-Encoding: gzip"), "not gzip", id="not gzip"),
        pytest.param(page(gzip.compress(BODY)[:-4], "Content-Encoding: gzip"), "cut off", id="gzip cut off"),
        pytest.param(page(BODY, "Content-Encoding: br"), "was not asked for", id="another coding"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000, "no end", id="endless header"),
        pytest.param(page(b"", "Location: ftp://x/", status="302 Found"), "not an http address", id="away"),
    ],
)
async def test_what_is_not_a_page_is_an_error(sent: bytes, problem: str) -> None:
    assert problem in await refused(lambda _: sent)


async def test_a_body_cut_off_is_an_error() -> None:
    async def answer(_: str) -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nup"
        yield b""

    assert "unexpected EOF" in await refused(answer)


async def test_a_server_that_says_nothing_or_never_ends_costs_the_timeout() -> None:
    async def nothing(_: str) -> AsyncIterator[bytes]:
        await asyncio.sleep(60)
        yield b""

    async def drip(_: str) -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            yield b"#\n"
            await asyncio.sleep(0.01)

    wish = Wish((), 10_000, 0.2)
    assert "context deadline exceeded" in await refused(nothing, wish)
    assert "context deadline exceeded" in await refused(drip, wish)


async def test_a_body_without_end_meets_the_limit_first() -> None:
    chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"#" * 4096 + b"\r\n"
    chunk += (b"1000\r\n" + b"#" * 4096 + b"\r\n") * 100
    with pytest.raises(BodyTooLargeError):
        await fetched(lambda _: chunk)


async def test_nobody_there() -> None:
    with pytest.raises(SourceError, match="connection refused"):
        await fetcher().fetch(f"http://127.0.0.1:{free_port()}/", WISH)


async def test_redirects_are_followed_but_not_for_ever() -> None:
    def answer(head: str) -> bytes:
        if head.startswith("GET /metrics "):
            return page(b"", "Location: other?x=1", status="302 Found")
        return page(BODY) if head.startswith("GET /other?x=1 ") else page(b"", "Location: /loop", status="301 Moved")

    assert (await fetched(answer))[0].body == BODY
    assert "HTTP status 302" in await refused(answer, http=HttpSettings(follow_redirects=False))
    assert "stopped after 10 redirects" in await refused(lambda _: page(b"", "Location: /loop", status="301 Moved"))


async def test_credentials_are_sent_and_stay_with_their_server(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    basic = HttpSettings(username=Secret("me"), password=Secret(file=secret))
    _, server = await fetched(lambda _: page(BODY), http=basic)
    assert f"Authorization: Basic {base64.b64encode(b'me:s3cret').decode()}" in server.requests[0]
    bearer = HttpSettings(credentials=Secret(file=secret), headers=(("X-Tenant", Secret("t")),))
    asking = fetcher(bearer)
    async with (
        answering(lambda _: page(BODY)) as other,
        answering(lambda _: page(b"", f"Location: {other.url()}", status="302 Found")) as first,
    ):
        await asking.fetch(first.url(), WISH)
        secret.write_text("new")
        await asking.fetch(first.url(), WISH)
    asking.close()
    assert "Authorization: Bearer s3cret\r\n" in first.requests[0]
    assert "X-Tenant: t\r\n" in first.requests[0]
    assert "Authorization: Bearer new\r\n" in first.requests[1]
    assert not any("Authorization" in head or "X-Tenant" in head for head in other.requests)
    missing = HttpSettings(credentials=Secret(file=tmp_path / "none"))
    assert "unable to read" in await refused(lambda _: page(BODY), http=missing)


async def test_tls_is_verified_as_told(tmp_path: Path) -> None:
    server_side, client_side = certificate(tmp_path, "server"), certificate(tmp_path, "client")

    async def asked(tls: TlsSettings, host: str = "127.0.0.1", *, mutual: bool = False) -> str:
        asking = fetcher(HttpSettings(tls=tls))
        context = server_side.context(client_side.cert if mutual else None)
        async with answering(lambda _: page(BODY), context) as server:
            try:
                answer = await asking.fetch(f"https://{host}:{server.port}/", WISH)
            except SourceError as error:
                return str(error)
            finally:
                asking.close()
        return answer.body.decode()

    ca = Secret(file=server_side.cert)
    assert "certificate" in await asked(TlsSettings())
    assert await asked(TlsSettings(ca=ca)) == "up 1\n"
    assert await asked(TlsSettings(ca=Secret(server_side.cert.read_text()))) == "up 1\n"
    assert await asked(TlsSettings(skip_verify=True)) == "up 1\n"
    assert await asked(TlsSettings(ca=ca, server_name="localhost")) == "up 1\n"
    assert "mismatch" in await asked(TlsSettings(ca=ca, server_name="elsewhere"))
    cert, key = Secret(file=client_side.cert), Secret(client_side.key.read_text())
    assert await asked(TlsSettings(ca=ca, cert=cert, key=key), mutual=True) == "up 1\n"
    assert await asked(TlsSettings(ca=ca), mutual=True) != "up 1\n"
    assert "tls_config" in await asked(TlsSettings(ca=Secret(file=tmp_path / "none")))
