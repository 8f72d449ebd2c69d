"""`kill -9` again and again under full ingest load: nothing acknowledged may be lost, every restart must answer.

Each round starts the server on the data it left, checks that what was acknowledged is there (the newest rows, every
tenth time all of them), sends rows as fast as they are taken by remote write for about half a second, and kills it
meanwhile. `python benchmarks/kills.py [ROUNDS [ROUNDS OF PEERS]]` (200, 20).
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.remote_write import HEADERS, requests
from harness.servers import Server, get_json, installed, serving
from sanso.model.labels import series_of

SERIES = 200
LABELS = [series_of("kill_rows", number=str(number)) for number in range(SERIES)]
LOAD_S = (0.2, 0.8)
ALL_ROWS = 1 << 40


@dataclass
class Account:
    """What a server has acknowledged.

    Attributes:
        start_ms: The time of row 0; row n is n seconds later and holds n in every series.
        acknowledged: Rows.
        restarts: Seconds from the start of the process to readiness.
        lost: Rows acknowledged that were not there after a kill.
        unreadable: Restarts that did not come to answer.
    """

    start_ms: int
    acknowledged: int = 0
    restarts: list[float] = field(default_factory=list)
    lost: int = 0
    unreadable: int = 0


def bodies(first: int, start_ms: int) -> Iterator[bytes]:
    """Requests of one row each, from a row on."""
    row = first
    while True:
        yield from requests(LABELS, [start_ms + row * 1000], np.full((SERIES, 1), float(row)), rows=1)
        row += 1


def loaded(server: Server, account: Account, dice: random.Random) -> None:
    """Send rows until the server is killed."""
    made = bodies(account.acknowledged, account.start_ms)
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc)
    killer = threading.Timer(dice.uniform(*LOAD_S), os.kill, (server.pid, signal.SIGKILL))
    killer.start()
    try:
        for body in made:
            connection.request("POST", "/api/v1/write", body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (200, 204):
                raise RuntimeError(f"{server.name} refused a row")
            account.acknowledged += 1
    except (OSError, http.client.HTTPException):
        pass  # it is dead
    finally:
        killer.join()
        connection.close()


def missing(server: Server, account: Account, newest: int) -> int:
    """Of the newest rows, those that were acknowledged and are not there, or not whole."""
    if not account.acknowledged:
        return 0
    seconds = min(account.acknowledged, newest)
    at = (account.start_ms + (account.acknowledged - 1) * 1000) / 1000
    found = 0
    for expression in (f"count_over_time(kill_rows[{seconds}s])", "kill_rows"):
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": expression, "time": at})
        result = get_json(server, path)["data"]["result"]
        expected = seconds if "count" in expression else account.acknowledged - 1
        values = [int(float(series["value"][1])) for series in result]
        found = max(found, *(expected - value for value in values), seconds if len(values) != SERIES else 0)
    return found


def killed(name: str, rounds: int, folder: Path) -> Account:
    """The account of a server after so many kills."""
    account = Account(int(time.time()) * 1000 - 30 * 86_400_000)
    dice = random.Random(1)
    for turn in range(rounds):
        began = time.perf_counter()
        try:
            with serving(name, folder) as server:
                account.restarts.append(time.perf_counter() - began)
                account.lost = max(account.lost, missing(server, account, 2000 if turn % 10 else ALL_ROWS))
                loaded(server, account, dice)
        except (RuntimeError, KeyError, json.JSONDecodeError) as error:
            print(f"  {name}: {error}")
            account.unreadable += 1
    with serving(name, folder) as server:
        account.lost = max(account.lost, missing(server, account, ALL_ROWS))
    return account


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    of_peers = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    print(f"{'':22} kills  rows acknowledged  lost  unreadable  restart s (min / median / max)")
    for name in installed():
        count = rounds if name == "sanso" else of_peers
        if not count:
            continue
        with tempfile.TemporaryDirectory() as folder:
            account = killed(name, count, Path(folder))
        took = account.restarts
        restart = f"{min(took):.2f} / {statistics.median(took):.2f} / {max(took):.2f}"
        print(
            f"{name:22} {count:5}  {account.acknowledged:17,}  {account.lost:4}  {account.unreadable:10}  {restart}",
            flush=True,
        )


if __name__ == "__main__":
    main()
