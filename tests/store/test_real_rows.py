"""What this machine says of itself, sealed and read back: columns as they really relate to each other."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from sanso.model.frame import is_absent
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher
from sanso.sources.host import host_sources
from sanso.store.schema import FILE
from sanso.store.store import Store

TICKS = 150
"""Enough for columns that are told by each other."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_a_host_s_rows_come_back_from_sealed_columns(tmp_path: Path) -> None:
    written: dict[Labels, dict[int, float]] = {}
    begin_ms = int(time.time() * 1000) - TICKS * 1000
    with closing(Store.open(tmp_path, retention_ms=10**9, head_rows=TICKS)) as store:
        sources = host_sources()
        for time_ms in range(begin_ms, begin_ms + TICKS * 1000, 1000):
            for source in sources:
                row = source.read(time_ms)
                if row is None:
                    continue
                store.append(source.name, time_ms, row)
                for labels, value in zip(row.columns.labels, row.values.tolist(), strict=True):
                    written.setdefault(labels, {})[time_ms] = value
            store.commit()
        store.seal()
        with closing(sqlite3.connect(tmp_path / FILE)) as file:
            (rows,) = file.execute("select sum(rows) from blocks").fetchone()
        assert rows > TICKS
        found = store.select([Matcher("__name__", "!=", "")], begin_ms, begin_ms + TICKS * 1000)
    read = {
        labels: dict(zip(frame.timeline[there].tolist(), row[there].tolist(), strict=True))
        for frame in found
        for labels, row in zip(frame.labels, frame.values, strict=True)
        for there in [~is_absent(np.ascontiguousarray(row))]
    }
    assert len(read) > 100
    for labels, cells in written.items():
        wanted = {at: value for at, value in cells.items() if not np.isnan(value)}
        ours = {at: value for at, value in read.get(labels, {}).items() if not np.isnan(value)}
        assert ours == wanted, labels
