"""Who may ask from a browser: not a foreign page, unless the configuration names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sanso.model.expressions import Expression
from sanso.web.errors import failure

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class CrossOrigin:
    """Refuses what a foreign page would make a browser do: a Host that is not ours, a write from another origin.

    Args:
        hosts: Names that the Host header may carry besides loopback's.
        origins: A regular expression of the origins whose pages may ask; empty for none.
    """

    def __init__(self, hosts: frozenset[str], origins: str = "") -> None:
        self._hosts = _LOOPBACK | hosts
        self._origins = Expression(origins) if origins else None

    def refused(self, scope: Mapping[str, Any], headers: Headers) -> Response | None:
        """The refusal of a request; None where it may pass."""
        server = (scope.get("server") or ("",))[0]
        given = headers.get("host", "")
        host = urlsplit(f"//{given}").hostname or "" if server in _LOOPBACK else ""
        if host and host not in self._hosts:
            return failure("forbidden", f"host {host} is not served here", 403)
        origin = headers.get("origin")
        if not origin or scope["method"] not in ("POST", "PUT", "DELETE") or self._welcome(origin):
            return None
        if urlsplit(origin).netloc != given:
            return failure("forbidden", f"writes from {origin} are refused", 403)
        return None

    def allowed(self, headers: Headers) -> dict[str, str]:
        """What a browser must be told so that a page of a welcome origin may read the answer."""
        origin = headers.get("origin")
        if not origin or not self._welcome(origin):
            return {}
        return {
            "access-control-allow-origin": origin,
            "access-control-allow-headers": "Accept, Authorization, Content-Type, Origin",
            "access-control-allow-methods": "GET, POST, OPTIONS",
            "access-control-expose-headers": "Date",
        }

    def _welcome(self, origin: str) -> bool:
        return self._origins is not None and self._origins.matches(origin)


class SameSite:
    """The refusals alone, before an application of another kind."""

    def __init__(self, app: ASGIApp, origins: CrossOrigin) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        refused = self._origins.refused(scope, Headers(scope=scope)) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)
