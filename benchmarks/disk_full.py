"""A disk that fills up and is freed, twenty times, under ingest: what was acknowledged is there, and ingest goes on.

The server's data lies on a small tmpfs. Each round sends rows by remote write, fills the disk with a file until rows
are refused (503) and asks for what was acknowledged (it answers from memory and says so), frees the disk, waits until
rows are acknowledged again, and checks that every acknowledged row is there. In the end the server is killed, and what
it left is checked again. `python benchmarks/disk_full.py [ROUNDS]` (20); it needs the right to mount.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from harness.remote_write import HEADERS, requests
from harness.servers import Server, get_json, serving
from sanso.model.labels import series_of

SERIES, DISK_MB = 200, 96
LABELS = [series_of("disk_rows", number=str(number)) for number in range(SERIES)]
NORMAL_S, FULL_S, MOST_WAIT_S = 0.6, 0.8, 20
NORMAL_ROWS = 600
"""At most: twenty rounds of them leave room on the disk, however fast the machine is."""


class Sender:
    """Sends row after row, each again until it is acknowledged."""

    def __init__(self, start_ms: int) -> None:
        self.start_ms = start_ms
        self.acknowledged = 0
        self.refused = 0

    def send(self, server: Server, seconds: float, *, until: int = 0, rows: int = 0) -> None:
        """Send for so long, or until so many rows were acknowledged; with a status, until a row was answered by it."""
        last = self.acknowledged + rows
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=30)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            row = self.acknowledged
            values = np.random.default_rng(row).normal(size=(SERIES, 1))  # nothing compresses: the file has to grow
            (body,) = requests(LABELS, [self.start_ms + row * 1000], values, rows=1)
            connection.request("POST", "/api/v1/write", body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 204:
                self.acknowledged += 1
            elif answer.status == 503:
                self.refused += 1
                time.sleep(0.02)
            else:
                raise RuntimeError(f"answered {answer.status}")
            if answer.status == until or (rows and self.acknowledged == last):
                return
        if until:
            raise RuntimeError(f"no row was answered with {until} for {seconds:g} s")

    def missing(self, server: Server) -> int:
        """Acknowledged rows that are not there, or not whole."""
        at = (self.start_ms + (self.acknowledged - 1) * 1000) / 1000
        asked = {"query": f"count_over_time(disk_rows[{self.acknowledged}s])", "time": at}
        result = get_json(server, "/api/v1/query?" + urllib.parse.urlencode(asked))["data"]["result"]
        if len(result) != SERIES:
            return self.acknowledged
        return max(self.acknowledged - int(series["value"][1]) for series in result)


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    """A tmpfs of `DISK_MB`, unmounted in the end."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise SystemExit("skipped: mounting a tmpfs is not permitted here")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def filled(ballast: Path) -> None:
    """Fill the disk to the last byte."""
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)


def notices(server: Server) -> list[str]:
    """What the server says to the front ends."""
    found: list[str] = get_json(server, "/api/sanso/overview")["notices"]
    return found


def main() -> None:
    """Print the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    sender = Sender(int(time.time()) * 1000 - 86_400_000)
    resumed: list[float] = []
    lost = said = in_memory = 0
    with small_disk() as disk:
        ballast = disk / "ballast"
        with serving("sanso", disk) as server:
            for _ in range(rounds):
                sender.send(server, NORMAL_S, rows=NORMAL_ROWS)
                filled(ballast)
                sender.send(server, MOST_WAIT_S, until=503)
                sender.send(server, FULL_S)
                said += any("history cannot be written" in notice for notice in notices(server))
                in_memory += sender.missing(server) == 0
                ballast.unlink()
                began = time.monotonic()
                sender.send(server, MOST_WAIT_S, until=204)
                resumed.append(time.monotonic() - began)
                lost = max(lost, sender.missing(server))
            quiet = not any("history" in notice for notice in notices(server))
            os.kill(server.pid, signal.SIGKILL)
        with serving("sanso", disk) as server:
            lost = max(lost, sender.missing(server))
    print(
        f"{rounds} x disk full: {sender.acknowledged} rows of {SERIES} acknowledged, {sender.refused} refused with 503"
    )
    print(
        f"lost of what was acknowledged: {lost}; answered from memory: {in_memory}, said so: {said} of {rounds} times"
    )
    print(f"went on by itself after {min(resumed):.2f} to {max(resumed):.2f} s; the notice went away: {quiet}")


if __name__ == "__main__":
    main()
