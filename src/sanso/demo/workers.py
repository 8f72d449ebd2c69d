"""The demo's AI organisation: eight workers in a process, each on its thread. `python -m sanso.demo.workers FOLDER`."""

from __future__ import annotations

import random as dice
import sys
import threading
import time
from pathlib import Path

import numpy as np

from sanso.demo import faults
from sanso.demo.child import live_as_long_as_the_parent
from sanso.demo.generation import Generator, best_generator
from sanso.demo.organisation import MEMBERS, Member
from sanso.sdk import Telemetry
from sanso.sdk.worker import Worker

_REST_S = (0.2, 2.5)
_IDLE_SHARE = 0.2
"""Of the tasks, after which there is nothing to do for a while."""
_STEP_REST_S = 0.15


def main() -> None:
    """Work until the parent ends; the folder is the parent's, who removes it."""
    telemetry = Telemetry(service="demo-organisation")
    live_as_long_as_the_parent(telemetry.close)
    generator = best_generator(telemetry, Path(sys.argv[1]))
    started = time.monotonic()
    threads = [
        threading.Thread(target=_live, args=(telemetry, member, generator, seed, started), daemon=True)
        for seed, member in enumerate(MEMBERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _live(telemetry: Telemetry, member: Member, generator: Generator, seed: int, started: float) -> None:
    random = np.random.default_rng(seed)
    worker = telemetry.worker(member.name, role=member.role, icon=member.icon, reports_to=member.reports_to)
    while True:
        try:
            with worker.task(member.task):
                _work(worker, member, generator, random, started)
        except np.linalg.LinAlgError:  # a task that really failed; the sdk has counted it
            worker.error(RuntimeError("the structure has no unique solution"))
            time.sleep(3.0)
        if dice.random() < _IDLE_SHARE:
            worker.wait()
            time.sleep(dice.uniform(*_REST_S))
        time.sleep(_STEP_REST_S)


def _work(worker: Worker, member: Member, generator: Generator, random: np.random.Generator, started: float) -> None:
    if member.work is None:
        generator.spoil(spoilt=faults.spoilt_model(time.monotonic() - started))
        for _ in range(3):
            generator.generate(random, worker.progress)
            time.sleep(_STEP_REST_S)
        generator.evaluate(random)
        return
    for _ in member.work(random):
        worker.progress()
        time.sleep(_STEP_REST_S)
        while member.name == "DEVOPS" and faults.stalled_worker(time.monotonic() - started):
            time.sleep(0.5)


if __name__ == "__main__":
    main()
