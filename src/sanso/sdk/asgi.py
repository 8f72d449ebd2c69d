"""Middleware of ASGI applications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from sanso.sdk.http_requests import UNMATCHED, RequestRecorder

if TYPE_CHECKING:
    from sanso.sdk.telemetry import Telemetry

Message = MutableMapping[str, Any]


class AsgiMiddleware:
    """Measures requests from the first byte asked to the last byte sent; anything but HTTP passes through."""

    def __init__(self, app: Any, telemetry: Telemetry, route: Callable[[Any], str] | None) -> None:
        self._app = app
        self._recorder = RequestRecorder(telemetry)
        self._route = route or route_of

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # what a server answers where the application gives nothing
        timed_out = False

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = self._recorder.start(scope["method"])
        try:
            await self._app(scope, receive, noting)
        except TimeoutError:
            timed_out = True
            raise
        finally:
            self._recorder.end(started, scope["method"], self._route(scope), status, timed_out=timed_out)


def route_of(scope: Any) -> str:
    """The matched route's pattern, its mount included; one value for all that matched none."""
    route = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    if path is None:
        return _endpoint_route(scope)
    return f"{_mount(scope)}{path}"


def _endpoint_route(scope: Any) -> str:
    """Starlette leaves no route in the scope, but its endpoint and the router: the pattern is found there."""
    endpoint, router = scope.get("endpoint"), scope.get("router")
    if endpoint is None or router is None:
        return UNMATCHED
    parameters = set(scope.get("path_params") or ())
    for route in getattr(router, "routes", ()):
        if getattr(route, "endpoint", None) is endpoint and set(getattr(route, "param_convertors", ())) <= parameters:
            return f"{_mount(scope)}{route.path_format}"
    return UNMATCHED


def _mount(scope: Any) -> str:
    """Where a sub-application is mounted, which `root_path` tells."""
    root: str = scope.get("app_root_path", "")
    path: str = scope.get("root_path", "")
    return path.removeprefix(root)
