"""Measures an ASGI application's requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

from sanso.sdk.http_requests import UNMATCHED, RequestSeries

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
RouteOf: TypeAlias = Callable[[Any], str | None]

_MOST_ROUTES = 2000
_DEEPEST = 16


class AsgiMiddleware:
    """Wraps an application; lifespan and websockets pass through.

    The route is the template that Starlette or FastAPI matched, with the templates of what it is mounted under.

    Args:
        app: The application.
        series: Where requests are recorded.
        route: Names a request's route from its scope, after the call, for other frameworks.
    """

    def __init__(self, app: AsgiApp, series: RequestSeries, route: RouteOf | None = None) -> None:
        self.app = app
        self._series = series
        self._route_of = route
        self._templates: dict[int, tuple[object, str]] = {}

    def __getattr__(self, name: str) -> Any:
        """What the application has besides being called (`routes`, `state`), so that it may stand in its place."""
        if name == "app":
            raise AttributeError(name)
        return getattr(self.app, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        outer = scope.get("app")
        request = self._series.begin(str(scope.get("method", "")))

        async def measured_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = int(message["status"])
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                request.complete(self._route(scope, outer))

        try:
            await self.app(scope, receive, measured_send)
        except BaseException as error:
            request.end(self._route(scope, outer), error)
            raise
        request.end(self._route(scope, outer))

    def _route(self, scope: Scope, outer: object) -> str:
        if self._route_of is not None:
            # The application's own function: whatever it raises must not become the request's failure.
            with suppress(Exception):
                return self._route_of(scope) or UNMATCHED
            return UNMATCHED
        matched = scope.get("route")
        if matched is None:
            return UNMATCHED
        known = self._templates.get(id(matched))
        if known is None:
            root = outer if outer is not None else self.app
            template = _template(getattr(root, "routes", None), matched, "", _DEEPEST)
            known = matched, template or str(getattr(matched, "path", "") or UNMATCHED)
            if len(self._templates) < _MOST_ROUTES:
                self._templates[id(matched)] = known
        return known[1]


def _template(routes: Any, matched: object, prefix: str, deepest: int) -> str | None:
    """The full template of a route that stands somewhere under `routes`."""
    if not isinstance(routes, (list, tuple)) or not deepest:
        return None
    for route in routes:
        path = prefix + str(getattr(route, "path", "") or "")
        if route is matched:
            return path or "/"
        found = _template(getattr(route, "routes", None), matched, path, deepest - 1)
        if found is not None:
            return found
    return None
