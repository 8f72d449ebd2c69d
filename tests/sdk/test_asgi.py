"""ASGI applications, Starlette's and bare ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, Router

from sanso.sdk.asgi import AsgiMiddleware, Message, Receive, Scope, Send
from sanso.sdk.http_requests import RequestSeries
from sanso.sdk.registry import Registry
from sanso.sdk.sketch import Sketch


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello", int(request.path_params.get("status", 200)))


async def broken(request: Request) -> Response:
    raise ValueError("broken")


async def late(request: Request) -> Response:
    raise TimeoutError


async def stream(request: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0.05)
        yield b"b"

    return StreamingResponse(chunks())


async def background(request: Request) -> Response:
    return PlainTextResponse("x", background=BackgroundTask(asyncio.sleep, 0.2))


ROUTES = [
    Route("/", hello),
    Route("/status/{status:int}", hello),
    Route("/only-post", hello, methods=["POST"]),
    Route("/broken", broken),
    Route("/late", late),
    Route("/stream", stream),
    Route("/background", background),
    Mount("/shops/{shop}", routes=[Route("/items/{item}", hello), Mount("/deep", app=Router([Route("/x", hello)]))]),
    Mount("/bare", app=PlainTextResponse("bare")),
    Mount("/inner", app=Starlette(routes=[Route("/here/{x}", hello)])),
]


class Site:
    def __init__(self, app: Any, **options: Any) -> None:
        self.registry = Registry(lambda: 1)
        series = RequestSeries(self.registry, lambda: self.registry.epoch)
        self.app = AsgiMiddleware(app, series, **options)

    async def ask(self, path: str = "/", method: str = "GET") -> tuple[int | None, bytes]:
        """One request as a server makes it: status and body."""
        answer: list[Message] = []
        scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}

        async def send(message: Message) -> None:
            answer.append(message)

        incoming: list[Message] = [{"type": "http.request", "body": b""}]

        async def receive() -> Message:
            if not incoming:
                await asyncio.Event().wait()
            return incoming.pop()

        await self.app(scope, receive, send)
        return answer[0]["status"], b"".join(message.get("body", b"") for message in answer)

    def values(self, name: str) -> dict[tuple[str, ...], float | Sketch]:
        self.registry.fold()
        return {
            tuple(value for _, value in point.labels): point.value
            for metric in self.registry.metrics()
            for point in metric.points
            if metric.name == name
        }

    def counts(self) -> dict[tuple[str, ...], int]:
        """How many requests by method, status and route."""
        found = self.values("http_server_request_duration_seconds")
        return {(k[0], k[1], k[2]): v.count for k, v in found.items() if isinstance(v, Sketch)}


@pytest.fixture
def site() -> Site:
    return Site(Starlette(routes=ROUTES))


# Labels are sorted by name: http_request_method, http_response_status_code, http_route.
@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", ("GET", "200", "/")),
        ("GET", "/status/418", ("GET", "418", "/status/{status:int}")),
        ("GET", "/only-post", ("GET", "405", "/only-post")),
        ("GET", "/no/such/page", ("GET", "404", "unmatched")),
        ("GET", "/shops/1/items/2", ("GET", "200", "/shops/{shop}/items/{item}")),
        ("GET", "/shops/1/deep/x", ("GET", "200", "/shops/{shop}/deep/x")),
        ("GET", "/shops/1/none", ("GET", "404", "/shops/{shop}")),
        ("GET", "/bare/anything/else", ("GET", "200", "/bare")),
        ("GET", "/inner/here/7", ("GET", "200", "/inner/here/{x}")),
        ("HEAD", "/", ("HEAD", "200", "/")),
        ("BREW", "/", ("_OTHER", "405", "/")),
    ],
)
async def test_a_request_is_recorded_by_route(site: Site, method: str, path: str, expected: tuple[str, ...]) -> None:
    for _ in range(2):
        await site.ask(path, method)
    assert site.counts() == {expected: 2}
    assert site.values("http_server_active_requests") == {(expected[0],): 0}
    assert site.values("http_server_timeouts_total") == {(expected[2],): 0}


@pytest.mark.parametrize("path", ["/status/408", "/status/504"])
async def test_time_outs_are_counted(site: Site, path: str) -> None:
    await site.ask(path)
    assert list(site.values("http_server_timeouts_total").values()) == [1]


@pytest.mark.parametrize(("path", "error", "late"), [("/broken", ValueError, 0), ("/late", TimeoutError, 1)])
async def test_exceptions_are_500_and_raised_again(site: Site, path: str, error: type[Exception], late: int) -> None:
    with pytest.raises(error):
        await site.ask(path)
    assert site.counts() == {("GET", "500", path): 1}
    assert site.values("http_server_timeouts_total") == {(path,): late}
    assert site.values("http_server_active_requests") == {("GET",): 0}


async def test_a_streamed_body_is_measured_to_its_end_and_a_background_task_is_not(site: Site) -> None:
    assert await site.ask("/stream") == (200, b"ab")
    await site.ask("/background")
    found = site.values("http_server_request_duration_seconds")
    streamed, plain = found["GET", "200", "/stream"], found["GET", "200", "/background"]
    assert isinstance(streamed, Sketch)
    assert isinstance(plain, Sketch)
    assert streamed.minimum >= 0.05
    assert plain.maximum < 0.2


async def test_requests_in_progress_are_counted() -> None:
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(inner.values("http_server_active_requests"))
        await PlainTextResponse("x")(scope, receive, send)

    inner = Site(app)
    await inner.ask()
    assert seen == [{("GET",): 1}]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
async def test_websockets_and_lifespan_pass_through(kind: str) -> None:
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((scope["type"], receive, send))

    site = Site(app)
    await site.app({"type": kind}, nothing, forget)
    assert seen == [kind, nothing, forget]
    assert site.counts() == {}


async def test_it_may_be_added_as_middleware() -> None:
    registry = Registry(lambda: 1)
    series = RequestSeries(registry, lambda: 0)
    site = Site(Starlette(routes=ROUTES, middleware=[Middleware(AsgiMiddleware, series=series)]))
    await site.ask("/shops/1/items/2")
    registry.fold()
    labels = {dict(point.labels).get("http_route") for metric in registry.metrics() for point in metric.points}
    assert "/shops/{shop}/items/{item}" in labels


def test_the_wrapped_application_shows_through() -> None:
    app = Starlette(routes=ROUTES)
    assert Site(app).app.routes == app.routes
    with pytest.raises(AttributeError):
        _ = Site(app).app.nothing
    with pytest.raises(AttributeError):
        _ = AsgiMiddleware.__new__(AsgiMiddleware).anything


async def test_a_client_that_left_is_499_where_the_answer_had_not_begun() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(60)

    site = Site(app)
    running = asyncio.ensure_future(site.app({"type": "http", "method": "GET"}, nothing, forget))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert site.counts() == {("GET", "499", "unmatched"): 1}


async def test_an_application_that_never_answers_is_500() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        return None

    site = Site(app)
    await site.app({"type": "http", "method": "GET"}, nothing, forget)
    assert site.counts() == {("GET", "500", "unmatched"): 1}


async def nothing() -> Message:
    return {"type": "http.disconnect"}


async def forget(message: Message) -> None:
    return None


@pytest.mark.parametrize(("answer", "expected"), [("/named", "/named"), (None, "unmatched")])
async def test_another_framework_may_name_its_routes(answer: str | None, expected: str) -> None:
    site = Site(PlainTextResponse("x"), route=lambda scope: answer)
    await site.ask("/whatever")
    assert site.counts() == {("GET", "200", expected): 1}


async def test_a_naming_function_that_fails_does_not_fail_the_request() -> None:
    site = Site(PlainTextResponse("x"), route=lambda scope: scope["no such key"])
    assert await site.ask() == (200, b"x")
    assert site.counts() == {("GET", "200", "unmatched"): 1}


async def test_routes_of_an_unknown_tree_are_known_by_their_own_path() -> None:
    class Matched:
        path = "/mine/{x}"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = Matched()
        await PlainTextResponse("x")(scope, receive, send)

    site = Site(app)
    await site.app({"type": "http", "method": "GET"}, nothing, forget)
    assert site.counts() == {("GET", "200", "/mine/{x}"): 1}


async def test_a_request_that_was_begun_before_a_fork_is_the_parents() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        forked.registry.reset()

    forked = Site(app)
    await forked.app({"type": "http", "method": "GET"}, nothing, forget)
    assert forked.counts() == {}
