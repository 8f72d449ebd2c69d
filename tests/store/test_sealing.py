"""Sealing beside the writer: nothing is lost, seen twice or left behind, and memory stays bounded."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.frame import ABSENT, Columns, Floats, Row, is_absent
from sanso.model.labels import series_of
from sanso.model.matchers import Matcher
from sanso.store import sealing, turns
from sanso.store.head import Head
from sanso.store.schema import FILE
from sanso.store.store import Store

LONG = 10**12
ALL = [Matcher("__name__", "=", "m")]
WIDE = Columns(tuple(series_of("m", n=str(n)) for n in range(400)))


def fill(store: Store, begin: int, end: int) -> None:
    for tick in range(begin, end):
        store.append("f", 1000 * tick, Row(WIDE, np.random.default_rng(tick).normal(size=400)))
        store.commit()


def held(store: Store) -> tuple[list[int], Floats]:
    (frame,) = store.select(ALL, 0, LONG)
    return frame.timeline.tolist(), frame.values


def test_rows_come_faster_than_they_can_be_sealed_and_memory_stays_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "_SOFT_BYTES", 200_000)
    monkeypatch.setattr(sealing, "_HARD_BYTES", 400_000)
    store = Store.open(tmp_path, retention_ms=LONG)
    store.tend_beside()
    fill(store, 1, 1001)
    assert store._sealer.held_bytes < 2 * 400_000
    assert store.stats().held_up > 0
    times, values = held(store)
    store.close()
    assert times == list(range(1000, 1_001_000, 1000))
    assert values[:, 500].tolist() == np.random.default_rng(501).normal(size=400).tolist()


def test_what_a_killed_process_left_half_done_is_cleared_away_and_passed_over(tmp_path: Path) -> None:
    store = Store.open(tmp_path, retention_ms=LONG)
    fill(store, 1, 31)
    store.close()
    with sqlite3.connect(tmp_path / FILE) as file:
        logged = file.execute("select * from log where id < 20").fetchall()
    store = Store.open(tmp_path, retention_ms=LONG, head_rows=20)
    fill(store, 31, 32)
    expected = held(store)
    store.close()
    with sqlite3.connect(tmp_path / FILE) as file:
        (last,) = file.execute("select max(id) from blocks").fetchone()
        file.execute("insert into pieces values (?, x'00')", ((last + 1 << 20) + 1,))
        file.executemany("insert into log values (?, ?)", logged)
    file.close()
    store = Store.open(tmp_path, retention_ms=LONG, head_rows=20)
    found = held(store)
    store.seal()
    assert found[0] == expected[0] == held(store)[0]
    assert found[1].tobytes() == expected[1].tobytes() == held(store)[1].tobytes()
    store.close()
    with sqlite3.connect(tmp_path / FILE) as file:
        assert file.execute("select count(*) from pieces where id >> 20 not in (select id from blocks)").fetchone() == (
            0,
        )
        assert file.execute("select count(*) from log").fetchone() == (0,)


def test_a_large_block_goes_in_in_steps_and_is_seen_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_TURN_BYTES", 50_000)
    store = Store.open(tmp_path, retention_ms=LONG, head_rows=50)
    fill(store, 1, 60)
    assert store.upkeep is not None
    assert store.upkeep.spread().blocks == 1
    assert store.upkeep.spread().logged == 9
    assert store.upkeep.problems() == []
    assert held(store)[0] == list(range(1000, 60_000, 1000))
    store.close()


@given(
    st.lists(st.tuples(st.sampled_from(["row", "drop"]), st.integers(0, 40), st.integers(1, 5)), max_size=40),
)
def test_a_head_holds_what_a_plain_table_would(steps: list[tuple[str, int, int]]) -> None:
    head, now = Head(), 0
    table: dict[int, Floats] = {}
    columns = [Columns(tuple(series_of("m", n=str(n)) for n in range(count))) for count in range(6)]
    for kind, many, count in steps:
        if kind == "drop":
            rows = min(many, head.view.rows)
            head.drop(rows, sealed=True)
            for time in sorted(table)[:rows]:
                del table[time]
            continue
        for _ in range(many):
            now += 1
            values: Floats = np.arange(count, dtype=np.float64) + now * 10.0
            if head.known(columns[count]) is None:
                head.learn(columns[count], list(range(count)))
            head.append(now, columns[count], values, complete=False)
            table[now] = values
    view = head.view
    assert view.times.tolist() == sorted(table)
    cells = view.cells(slice(None), 0, view.rows)
    for line, number in enumerate(view.series):
        for row, time in enumerate(view.times.tolist()):
            value = table[time][number] if number < len(table[time]) else ABSENT
            assert np.float64(value).tobytes() == cells[line, row].tobytes()
    missing = set(range(6)) - set(view.series)
    assert not any(number < len(values) for values in table.values() for number in missing)
    assert view.size >= int((~is_absent(cells)).sum()) * 8
