"""A server that is killed serves, after each restart, every tick that it had committed."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path

from sanso.store.log import rows_of
from tests.cli.servers import Served, serving

EVERY = '[sample]\ninterval = "100ms"\n'


def committed(folder: Path) -> set[int]:
    """Times of the rows of the host's CPU that stand in the file."""
    file = next(path for path in folder.iterdir() if path.suffix in (".sqlite", ".db", ".sanso"))
    with sqlite3.connect(file) as connection:
        frames = connection.execute("select id from frames where name = 'host_cpu'").fetchall()
        entries = connection.execute("select data from log").fetchall()
        times = {row.time_ms for (data,) in entries for row in rows_of(data) if (row.frame,) in frames}
    connection.close()
    return times


def served(server: Served) -> set[int]:
    found = server.query("node_load1[1h]")
    return {round(time_s * 1000) for time_s, _ in found[0]["values"]} if found else set()


def test_twenty_kills_lose_no_committed_tick(tmp_path: Path) -> None:
    dice = random.Random(7)
    known: set[int] = set()
    for _ in range(20):
        with serving(tmp_path, settings=EVERY) as server:
            assert known <= served(server)
            time.sleep(dice.uniform(0.05, 0.6))
            server.process.kill()
            server.process.wait()
        known = committed(tmp_path)
    assert len(known) > 40
    with serving(tmp_path, settings=EVERY) as server:
        assert known <= served(server)
