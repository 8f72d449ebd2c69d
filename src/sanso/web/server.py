"""An HTTP server on a thread of its own, on a socket that is already bound."""

from __future__ import annotations

import asyncio
import functools
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import uvicorn
from starlette.types import ASGIApp

from sanso.web.protocol import Protocol
from sanso.web.remote_write import WriteDoor

_GRACE_S = 3


@dataclass(frozen=True)
class Application:
    """What a server serves.

    Attributes:
        asgi: Everything but write requests.
        doors: Of those, by path.
    """

    asgi: ASGIApp
    doors: Mapping[bytes, WriteDoor] = field(default_factory=dict)


class Server:
    """Serves until stopped.

    Args:
        app: What to serve.
        listener: A bound, listening socket; closed with the server.
    """

    def __init__(self, app: Application, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app.asgi,
            http=functools.partial(Protocol, doors=app.doors),  # type: ignore[arg-type]
            loop="asyncio",
            lifespan="off",
            ws="none",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            log_level="warning",
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=30,
        )
        self._server = uvicorn.Server(config)
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name="sanso-http", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what is being asked, then end."""
        self._server.should_exit = True
        self._thread.join(timeout=_GRACE_S + 2)
        self._listener.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))
