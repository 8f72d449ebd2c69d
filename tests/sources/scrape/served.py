"""Pages that a test may change at any time, served over real HTTP."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.exposition.metric_families import CONTENT_TYPE


class Pages:
    """Pages by path, served on this machine; `user:password` by path, where one is asked for.

    What is bytes is of the protobuf format.
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.texts: dict[str, str | bytes] = {"/metrics": "a 1\n"}
        self.passwords: dict[str, str] = {}
        self.address = f"127.0.0.1:{server.server_address[1]}"


@contextmanager
def served() -> Iterator[Pages]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            text = pages.texts.get(self.path)
            body = text if isinstance(text, bytes) else (text or "").encode()
            wanted = pages.passwords.get(self.path)
            given = self.headers.get("Authorization")
            if wanted and given != f"Basic {base64.b64encode(wanted.encode()).decode()}":
                text, body = None, b""
            self.send_response(200 if text is not None else 404)
            kind = "application/json" if self.path == "/sd" else "text/plain"
            if isinstance(text, bytes):
                kind = CONTENT_TYPE
            elif body.endswith(b"# EOF\n"):
                kind = "application/openmetrics-text; version=1.0.0"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # it may have gone meanwhile
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    pages = Pages(server)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
