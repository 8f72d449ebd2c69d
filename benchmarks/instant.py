"""Short questions: what one instant query of one series costs a server, asked over one kept connection.

Of Sanso, VictoriaMetrics and Prometheus in one run, on the same 1,000 series: CPU a question, read from /proc, and the
time until the answer is there. `python benchmarks/instant.py [QUESTIONS]` (3000).
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import numpy as np

from harness.remote_write import requests, send
from harness.servers import Server, installed, serving
from sanso.model.labels import series_of

SERIES, SAMPLES = 1_000, 60
QUESTIONS = {
    "one series": 'x{path="/v1/things/7"}',
    "rate of one series": 'rate(x{path="/v1/things/7"}[30s])',
    "a number": "1",
}


class Connection:
    """A kept connection that reads whole answers, and little else: the client must not cost what is measured."""

    def __init__(self, server: Server) -> None:
        host, port = server.url.removeprefix("http://").split(":")
        self._host = f"{host}:{port}"
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, path: str) -> bytes:
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
        found = b""
        while True:
            found += self._socket.recv(65536)
            head, end, body = found.partition(b"\r\n\r\n")
            if end:
                size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                if len(body) >= size:
                    return body


def measured(server: Server, count: int) -> dict[str, tuple[float, float]]:
    """CPU and median time a question, in microseconds."""
    now_ms = int(time.time() * 1000) // 1000 * 1000
    labels = [series_of("x", code="200", path=f"/v1/things/{n}") for n in range(SERIES)]
    times = [now_ms - (SAMPLES - 1 - row) * 1000 for row in range(SAMPLES)]
    send(server, requests(labels, times, np.random.default_rng(1).random((SERIES, SAMPLES)), rows=SAMPLES))
    time.sleep(3)  # until VictoriaMetrics shows what it was sent
    connection, found = Connection(server), {}
    for name, expr in QUESTIONS.items():
        path = "/api/v1/query?" + urlencode({"query": expr, "time": now_ms / 1000})
        for _ in range(200):
            answer = connection.ask(path)
        if b'"success"' not in answer or (name != "a number" and b"/v1/things/7" not in answer and "rate" not in name):
            raise RuntimeError(f"{server.name} answered {answer[:200]!r}")
        taken = []
        cpu = server.cpu_seconds()
        for _ in range(count):
            begun = time.perf_counter()
            connection.ask(path)
            taken.append(time.perf_counter() - begun)
        found[name] = ((server.cpu_seconds() - cpu) / count * 1e6, median(taken) * 1e6)
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    for name in installed():
        with tempfile.TemporaryDirectory() as folder, serving(name, Path(folder)) as server:
            for question, (cpu, taken) in measured(server, count).items():
                print(f"{name:<18} {question:<20} {cpu:7.0f} µs CPU a question, {taken:7.0f} µs until answered")


if __name__ == "__main__":
    main()
