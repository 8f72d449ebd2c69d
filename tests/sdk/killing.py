"""Forked processes that record, are killed at random and started again; what arrived is held against a ledger.

The supervisor (`python -m tests.sdk.killing`) is a process of its own, as gunicorn's is: it makes the Telemetry,
records with it and then forks. Every child notes in shared memory how much it is about to record, and whether it
lived to flush, so that the truth survives a SIGKILL.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sanso.sdk import Telemetry
from tests.sdk.receiver import Receiver, receiving

PROCESSES = 8
SLOTS = 65_536
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Outcome:
    """What an experiment came to.

    Attributes:
        flushed: Processes that lived to flush.
        killed: Processes that did not.
        recorded: Values that the flushed ones recorded.
        received: Values of theirs that arrived.
        killed_received: Values of killed processes that arrived before.
        wrong: Processes whose totals break the law, with what was recorded and received.
    """

    flushed: int
    killed: int
    recorded: int
    received: int
    killed_received: int
    wrong: list[tuple[int, int, float]]


def experiment(seconds: float, seed: int) -> Outcome:
    """Run supervisor and receiver, and compare."""
    with receiving() as receiver:
        # Python 3.12 warns of every fork beside threads: that is what is tried here.
        python = [sys.executable, "-W", "ignore::DeprecationWarning"]
        ran = subprocess.run(
            [*python, "-m", "tests.sdk.killing", receiver.url, str(seconds), str(seed)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=seconds + 30,
        )
        assert ran.stderr == "", ran.stderr
        return compare(json.loads(ran.stdout), receiver)


def compare(ledger: list[tuple[int, int, int]], receiver: Receiver) -> Outcome:
    """Hold what arrived against what each process wrote down."""
    counted, sketched = totals(receiver, "work_total"), totals(receiver, "work_seconds")
    wrong: list[tuple[int, int, float]] = []
    flushed = killed = recorded = received = killed_received = 0
    for pid, noted, lived in ledger:
        arrived = counted.get(pid, 0)
        if lived:
            flushed, recorded, received = flushed + 1, recorded + noted, received + round(arrived)
            right = arrived == sketched.get(pid) == noted
        else:
            killed, killed_received = killed + 1, killed_received + round(arrived)
            right = arrived <= noted and sketched.get(pid, 0) <= noted
        if not right:
            wrong.append((pid, noted, arrived))
    strangers = set(counted) - {pid for pid, _, _ in ledger}
    wrong.extend((pid, 0, counted[pid]) for pid in strangers)
    return Outcome(flushed, killed, recorded, received, killed_received, wrong)


def totals(receiver: Receiver, name: str) -> dict[int, float]:
    """By process; one that pushed under two names counts for both."""
    found: dict[int, float] = {}
    for series in receiver.latest(name):
        pid = series.resource["process.pid"]
        found[pid] = found.get(pid, 0) + series.value
    return found


def supervise(url: str, seconds: float, seed: int) -> None:
    """Keep the processes going, kill one every now and then, and print the ledger."""
    dice = random.Random(seed)
    ledger = memoryview(mmap.mmap(-1, SLOTS * 24)).cast("q")
    telemetry = Telemetry("killing", url, interval=0.1)
    own = 0
    alive: dict[int, int] = {}
    started: list[int] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        while len(alive) < PROCESSES:
            slot = len(started) + 1
            pid = os.fork()
            if not pid:
                work(telemetry, ledger, slot * 3)
            alive[pid] = slot
            started.append(pid)
            record(telemetry, own)
            own += 1
        time.sleep(dice.uniform(0.01, 0.12))
        victim = dice.choice(list(alive))
        end(victim, dice.choice((signal.SIGKILL, signal.SIGTERM)))
        del alive[victim]
    for pid in alive:
        end(pid, signal.SIGTERM)
    own_flushed = telemetry.flush(5)
    rows = [(pid, ledger[slot * 3], ledger[slot * 3 + 1]) for slot, pid in enumerate(started, 1)]
    json.dump([(os.getpid(), own, int(own_flushed)), *rows], sys.stdout)


def end(pid: int, by: signal.Signals) -> None:
    os.kill(pid, by)
    os.waitpid(pid, 0)


def work(telemetry: Telemetry, ledger: memoryview, row: int) -> None:
    """A child: record until told to stop, then flush and leave."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    while not stopping:
        for _ in range(20):
            ledger[row] += 1
            record(telemetry, ledger[row])
        time.sleep(0.002)
    ledger[row + 1] = int(telemetry.flush(5))
    os._exit(0)


def record(telemetry: Telemetry, number: int) -> None:
    telemetry.counter("work_total").add(1)
    telemetry.histogram("work_seconds").record(number % 7 + 0.5)


if __name__ == "__main__":
    supervise(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
