"""A mistake inside the server, met by a client for real."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn

import httpx
import pytest
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from sanso.web.last_resort import LastResort
from tests.web.hosted import hosted

BY_ZERO, NOT_TAKEN = "ZeroDivisionError: by zero", "RuntimeError: the request could not be taken"
JSON = {"content-type": "application/json"}


def broken(*_: Any, **__: Any) -> NoReturn:
    raise ZeroDivisionError("by zero")


class BrokenEngine:
    instant = range = broken


class BrokenClient:
    where = "nowhere"
    overview = histories = query = query_range = close = broken


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    changed = {"engine": BrokenEngine(), "client": BrokenClient(), "receive_remote_write": broken, "stats": broken}
    with hosted(**changed, receive_otlp=broken) as (_, url), httpx.Client(base_url=url) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "headers", "text"),
    [
        pytest.param("GET", "/api/v1/query?query=up", {}, BY_ZERO, id="in the pool"),
        pytest.param("GET", "/api/v1/status/tsdb", {}, BY_ZERO, id="at once"),
        pytest.param("GET", "/api/sanso/overview", {}, BY_ZERO, id="Sanso's own"),
        pytest.param("POST", "/v1/metrics", JSON, BY_ZERO, id="OTLP"),
        pytest.param("POST", "/api/v1/write", {}, NOT_TAKEN, id="remote write"),
    ],
)
def test_it_is_answered_in_the_envelope_and_logged(
    api: httpx.Client, caplog: pytest.LogCaptureFixture, method: str, path: str, headers: dict[str, str], text: str
) -> None:
    envelope = {"status": "error", "errorType": "internal", "error": f"unexpected error: {text}"}
    with caplog.at_level(logging.ERROR):
        answer = api.request(method, path, headers=headers, content=b"" if method == "GET" else b"{}")
    assert (answer.status_code, answer.json()) == (500, envelope)
    said = [record for record in caplog.records if record.name == "sanso" and "could not be answered" in record.message]
    assert [record.exc_info is not None for record in said] == [True]
    assert path.partition("?")[0] in said[0].message
    assert api.get("/-/healthy").status_code == 200


async def test_an_answer_that_has_begun_is_broken_off() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        broken()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(pieces())(scope, receive, send)

    transport = httpx.ASGITransport(LastResort(app), raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with pytest.raises((ZeroDivisionError, BaseExceptionGroup)):
            await client.get("/")
