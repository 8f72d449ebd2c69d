from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import numpy as np

from sanso.model.frame import Columns, Row
from sanso.model.labels import Labels, series_of
from sanso.model.matchers import Matcher
from sanso.store.archive import backup
from sanso.store.integrity import problems_in
from sanso.store.schema import FILE
from sanso.store.store import Store

LONG = 10**12
ALL = [Matcher("__name__", "=~", ".+")]
LABELS = [series_of("m", n=str(n), text='é"\n\\') for n in range(2500)]


def append(store: Store, time_ms: int, labels: list[Labels]) -> None:
    store.append("f", time_ms, Row(Columns(tuple(labels)), np.ones(len(labels))), complete=False)
    store.commit()


def counts(path: Path) -> tuple[int, int]:
    with contextlib.closing(sqlite3.connect(path / FILE)) as connection:
        return (
            connection.execute("select count(*) from series").fetchone()[0],
            connection.execute("select count(*) from packs").fetchone()[0],
        )


def test_packed_series_are_known_after_a_restart_and_cost_little(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "data", retention_ms=LONG)
    append(store, 1000, LABELS)
    store.prune(2000)
    assert counts(tmp_path / "data") == (0, 3)
    append(store, 2000, [series_of("late")])
    store.prune(3000)
    assert counts(tmp_path / "data") == (1, 3)  # few new ones wait
    store.seal()
    assert counts(tmp_path / "data") == (0, 4)
    store.close()
    store = Store.open(tmp_path / "data", retention_ms=LONG)
    assert set(store.series(ALL, 0, LONG)) == {*LABELS, series_of("late")}
    assert problems_in(tmp_path / "data") == []
    backup(tmp_path / "data", tmp_path / "copy")
    store.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / FILE)) as connection:
        (packed,) = connection.execute("select sum(length(data)) from packs").fetchone()
    assert packed < 10 * len(LABELS)


def test_forgotten_series_leave_the_packs(tmp_path: Path) -> None:
    store = Store.open(tmp_path, retention_ms=100_000, head_rows=1)
    append(store, 1000, LABELS[:1500])
    store.prune(1000)
    append(store, 90_000, LABELS[1200:])
    append(store, 90_001, LABELS[1200:])
    store.prune(150_000)
    assert store.stats().series == 1300
    store.close()
    store = Store.open(tmp_path, retention_ms=100_000)
    assert set(store.series(ALL, 0, LONG)) == set(LABELS[1200:])
    assert store.stats().series == 1300
    store.close()
    assert problems_in(tmp_path) == []


def test_a_damaged_pack_is_said(tmp_path: Path) -> None:
    store = Store.open(tmp_path, retention_ms=LONG)
    append(store, 1000, LABELS[:10])
    store.seal()
    store.close()
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("update packs set data = x'00'")
        connection.commit()
    assert problems_in(tmp_path) == ["a part of the catalogue is damaged: restore a backup"]
