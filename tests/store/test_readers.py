"""Readers are right while everything else goes on: rows, sealing, compaction, coarse samples, restarts of heads."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from sanso.model.frame import Columns, Part, Row, is_absent
from sanso.model.labels import series_of
from sanso.model.matchers import Matcher
from sanso.store.store import Store

LONG = 10**12
ALL = [Matcher("__name__", "=", "m")]
NAMED = Columns(tuple(series_of("m", n=str(n)) for n in range(20)))
ROWS = 3000


@pytest.mark.parametrize("beside", [False, True])
def test_readers_see_every_row_once_whatever_is_sealed_merged_or_made_coarse_meanwhile(
    tmp_path: Path, *, beside: bool
) -> None:
    store = Store.open(tmp_path, retention_ms=1_000_000, head_rows=17, tiers={10_000: LONG})
    if beside:
        store.tend_beside()
    done = threading.Event()
    problems: list[str] = []
    looks = [0, 0]

    def look(reader: int) -> None:
        newest = 0
        while not done.is_set() or not looks[reader]:
            part: Part = "count" if reader else "last"
            for frame in store.select(ALL, 0, LONG, part=part):
                looks[reader] += 1
                if is_absent(frame.values).any() or (np.diff(frame.timeline) <= 0).any():
                    problems.append(f"a gap or a row twice at {frame.timeline[-1]}")
                if reader and (frame.values.sum(axis=1) != frame.timeline[-1] / 1000).any():
                    problems.append(f"{frame.values.sum(axis=1)} samples at {frame.timeline[-1]}")
                if not reader and (frame.values != frame.timeline / 1000).any():
                    problems.append(f"a wrong value at {frame.timeline[-1]}")
                if frame.timeline[-1] < newest:
                    problems.append(f"{frame.timeline[-1]} after {newest}")
                newest = int(frame.timeline[-1])

    readers = [threading.Thread(target=look, args=(reader,)) for reader in range(2)]
    for thread in readers:
        thread.start()
    for tick in range(1, ROWS + 1):
        store.append("f", 1000 * tick, Row(NAMED, np.full(20, float(tick))))
        store.commit()
        if tick % 50 == 0:
            store.prune(1000 * tick)
        if tick % 700 == 0:
            store.seal()
    done.set()
    for thread in readers:
        thread.join()
    assert store.upkeep is not None
    assert store.upkeep.problems() == []
    store.close()
    assert problems == []
    assert min(looks) > 0
