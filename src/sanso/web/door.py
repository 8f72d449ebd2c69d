"""The door of Prometheus's API: from a request to the function that answers it, and back.

Paths are looked up, not searched; what may take long is answered in the pool, and packed there too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cramjam
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sanso.model.control import QueryControl
from sanso.model.errors import SansoError
from sanso.web.bodies import MOST_BYTES, received
from sanso.web.cross_origin import CrossOrigin
from sanso.web.errors import failed, failure
from sanso.web.parameters import Parameters, invalid
from sanso.web.services import Services
from sanso.web.short import ShortQuestions

_GZIP_FROM = 1400
"""Shorter answers fit in a packet as they are."""
READ = frozenset({"GET"})
ASK = frozenset({"GET", "POST"})
CHANGE = frozenset({"POST", "PUT"})


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        given: Its parameters.
        headers: Its headers.
        control: Of the time it may take; cancelled when the caller hangs up.
        name: The part of the path that is free: a label's name.
        body: As sent.
    """

    given: Parameters
    headers: Headers
    control: QueryControl
    name: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Endpoint:
    """What answers at a path.

    Attributes:
        answer: From services and request to the response; errors are `SansoError`.
        methods: That it takes.
        at_once: Whether it is answered without a thread of the pool, being short whatever is asked.
        often_short: Whether that is so for what was short the last time it was asked.
    """

    answer: Callable[[Services, Asked], Response]
    methods: frozenset[str] = READ
    at_once: bool = False
    often_short: bool = False


class Door:
    """Answers at the paths it knows; the rest goes to `otherwise`.

    Args:
        services: What answers.
        endpoints: By path.
        label_values: Answers at /api/v1/label/<name>/values.
        otherwise: The rest of the application.
    """

    def __init__(
        self, services: Services, endpoints: Mapping[str, Endpoint], label_values: Endpoint, otherwise: ASGIApp
    ) -> None:
        self._services = services
        self._endpoints = endpoints
        self._label_values = label_values
        self._otherwise = otherwise
        self._short = ShortQuestions()
        self._origins = CrossOrigin(services.hosts, services.cors_origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._otherwise(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._origins.refused(scope, headers)
        if refused is not None:
            await refused(scope, receive, send)
            return
        name, endpoint = self._found(scope["path"])
        if endpoint is None:
            await self._otherwise(scope, receive, send)
            return
        response = await self._response(endpoint, name, scope, headers, receive)
        allowed = self._origins.allowed(headers)
        if allowed:
            response.headers.update(allowed)
            response.headers.add_vary_header("Origin")
        await response(scope, receive, send)

    def _found(self, path: str) -> tuple[str, Endpoint | None]:
        endpoint = self._endpoints.get(path)
        if endpoint is None and path.startswith("/api/v1/label/") and path.endswith("/values"):
            return path[len("/api/v1/label/") : -len("/values")], self._label_values
        return "", endpoint

    async def _response(
        self, endpoint: Endpoint, name: str, scope: Scope, headers: Headers, receive: Receive
    ) -> Response:
        method = scope["method"]
        if method == "OPTIONS":
            return Response(status_code=204)
        if method not in endpoint.methods:
            allow = {"allow": ", ".join(sorted({*endpoint.methods, "OPTIONS"}))}
            found = failure("bad_data", f"{method} {scope['path']}: Method Not Allowed", 405)
            found.headers.update(allow)
            return found
        body = await received(receive) if method != "GET" else b""
        if body is None:
            return failure("bad_data", f"the body is larger than {MOST_BYTES >> 20} MiB", 413)
        try:
            given = Parameters.read(scope["query_string"], headers.get("content-type", ""), body)
            asked = Asked(given, headers, self._control(given), name, body)
            question = given.text("query") if endpoint.often_short else ""
            if endpoint.at_once or question in self._short:
                return self._answered(endpoint, asked, question)
            return await self._services.pool.run(
                lambda: self._answered(endpoint, asked, question), asked.control, lambda: _gone(receive)
            )
        except SansoError as error:
            return failed(error)

    def _answered(self, endpoint: Endpoint, asked: Asked, question: str) -> Response:
        asked.control.spent("waiting")
        begun = self._services.clock.monotonic()
        found = packed(endpoint.answer(self._services, asked), asked.headers)
        if question:
            self._short.took(question, self._services.clock.monotonic() - begun)
        return found

    def _control(self, given: Parameters) -> QueryControl:
        limits = self._services.limits
        most = limits.timeout_s
        text, wanted = given.text("timeout"), given.duration_ms("timeout", round(most * 1000)) / 1000
        if text and (text.startswith("-") or not any(digit in text for digit in "123456789")):
            raise invalid("timeout", f"timeout must be positive, got {text}")
        return QueryControl(self._services.clock, timeout_s=min(wanted, most), most_samples=limits.most_samples)


def packed(response: Response, headers: Headers) -> Response:
    """The response, compressed where the caller takes that; at the level that costs least."""
    body = response.body
    if len(body) < _GZIP_FROM or not takes_gzip(headers.get("accept-encoding", "")):
        return response
    response.body = bytes(cramjam.gzip.compress(body, level=1))
    response.headers["content-length"] = str(len(response.body))
    response.headers["content-encoding"] = "gzip"
    response.headers.add_vary_header("Accept-Encoding")
    return response


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def _gone(receive: Receive) -> None:
    """Ends when the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
