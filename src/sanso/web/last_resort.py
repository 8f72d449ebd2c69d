"""The edge of the HTTP servers: a mistake of ours costs the request that met it, and is answered in the envelope."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sanso.web.errors import failure

_log = logging.getLogger("sanso")


class LastResort:
    """Around everything else of an application.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if begun or scope["type"] != "http":  # too late for another answer: the server breaks this one off
                raise
            _log.exception("%s %s could not be answered", scope["method"], scope["path"])
            response = failure("internal", f"unexpected error: {type(error).__name__}: {error}", 500)
            await response(scope, receive, send)


async def left_to_it(_: Request, error: Exception) -> Response:
    """What Starlette does with an error that nobody expects: nothing, its answer would be a page.

    Raises:
        Exception: The error.
    """
    raise error
