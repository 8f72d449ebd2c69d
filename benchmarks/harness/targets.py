"""A thousand targets to scrape, in a process of their own: one page of many versions, served as cheaply as Python can.

`python -m harness.targets PORT SERIES` answers on every address of 127.0.0.0/8. Counters rise with each version, gauges
wander; a version counts for a second, so that what a target gives changes from scrape to scrape.
"""

from __future__ import annotations

import asyncio
import sys
import time

import numpy as np

VERSIONS = 300


def pages(series: int) -> list[bytes]:
    """Whole answers, headers included."""
    random = np.random.default_rng(7)
    counters, gauges = series * 7 // 10, series - series * 7 // 10
    totals = random.integers(0, 100_000, counters).astype(float)
    made = []
    for _ in range(VERSIONS):
        totals += random.integers(0, 50, counters)
        levels = random.normal(1e6, 1e3, gauges).round(2)
        lines = ["# HELP bench_requests_total Requests.", "# TYPE bench_requests_total counter"]
        lines += [
            f'bench_requests_total{{method="GET",path="/api/v1/resource/{n}",code="200"}} {value:.0f}'
            for n, value in enumerate(totals)
        ]
        lines += ["# HELP bench_level_bytes Levels.", "# TYPE bench_level_bytes gauge"]
        lines += [f'bench_level_bytes{{pool="p{n % 10}",slot="{n}"}} {value}' for n, value in enumerate(levels)]
        body = ("\n".join(lines) + "\n").encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n\r\n"
        made.append(head.encode() + body)
    return made


class _Door(asyncio.Protocol):
    answers: list[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.write(self.answers[int(time.time()) % VERSIONS])


async def main() -> None:
    """Serve until killed."""
    port, series = int(sys.argv[1]), int(sys.argv[2])
    _Door.answers = pages(series)
    server = await asyncio.get_running_loop().create_server(_Door, "0.0.0.0", port, backlog=2048)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
