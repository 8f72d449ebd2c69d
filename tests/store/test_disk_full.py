from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sanso.model.frame import Columns, Row
from sanso.model.labels import series_of
from sanso.model.matchers import Matcher
from sanso.store import store as store_module
from sanso.store.store import Store

LONG = 10**12
ALL = [Matcher("__name__", "=", "m")]
WIDE = 1000
"""A row that no page in use has room for."""
NAMED = Columns(tuple(series_of("m", n=str(n)) for n in range(WIDE)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, retention_ms=LONG, head_rows=20)
    yield opened
    opened.close()


def room(store: Store, pages: int) -> None:
    """Let the file have so many pages and no more: SQLite then says what it says of a full disk."""
    assert store.upkeep is not None
    assert store._disk is not None
    (held,) = store._disk.connection.execute("pragma page_count").fetchone()
    store._disk.connection.execute(f"pragma max_page_count = {held + pages}")


def fill(store: Store, rows: int, start: int) -> None:
    for tick in range(start, start + rows):
        store.append("f", 1000 * tick, Row(NAMED, np.full(WIDE, float(tick))))
        store.commit()


def times(store: Store) -> list[int]:
    (frame,) = store.select(ALL, 0, LONG)
    assert (frame.values == frame.timeline / 1000).all()
    return [int(time_ms) for time_ms in frame.timeline]


def test_a_full_disk_costs_nothing_that_memory_holds(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    fill(store, 30, 1)
    room(store, 0)
    fill(store, 100, 31)
    assert "history cannot be written" in store.notice
    assert not store.stats().writing
    assert times(store) == list(range(1000, 131_000, 1000))
    room(store, 1 << 20)
    fill(store, 5, 131)
    assert store.notice == ""
    assert store.stats().writing
    assert [record.message.startswith("history") for record in caplog.records] == [True, True]
    store.close()
    again = Store.open(tmp_path, retention_ms=LONG)
    assert times(again) == list(range(1000, 136_000, 1000))
    assert again.stats().lost == 0
    assert again.upkeep is not None
    assert again.upkeep.problems() == []
    again.close()


def test_series_and_frames_that_came_meanwhile_are_there_afterwards(store: Store, tmp_path: Path) -> None:
    fill(store, 3, 1)
    room(store, 0)
    fill(store, 40, 4)
    store.append("new", 1000, Row(Columns((series_of("fresh"),)), np.ones(1)))
    store.states.save_state("alerts", b"state")
    store.commit()
    assert store.notice
    room(store, 1 << 20)
    store.commit()
    assert not store.notice
    store.close()
    again = Store.open(tmp_path, retention_ms=LONG)
    (frame,) = again.select([Matcher("__name__", "=", "fresh")], 0, LONG)
    assert frame.values.tolist() == [[1.0]]
    assert again.states.load_state("alerts") == b"state"
    again.close()


def test_what_memory_cannot_hold_is_lost_oldest_first_and_counted(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 64 * WIDE * 8
    monkeypatch.setattr(store_module, "_MOST_MEMORY_BYTES", limit)
    fill(store, 10, 1)
    room(store, 0)
    fill(store, 1000, 11)
    held = times(store)
    assert held[-1] == 1_010_000
    assert len(held) == 1010 - store.stats().lost
    assert len(held) * WIDE * 8 < 3 * limit
    assert store.stats().lost > 900
    room(store, 1 << 20)
    fill(store, 1, 1011)
    assert not store.notice
    store.close()
    again = Store.open(tmp_path, retention_ms=LONG)
    assert times(again) == [*held, 1_011_000]
    again.close()


def test_frames_whose_rows_were_in_one_entry_that_the_disk_did_not_take_go_on(store: Store, tmp_path: Path) -> None:
    others = [Columns((series_of("m", other=str(n)),)) for n in range(3)]

    def fill_all(rows: int, start: int) -> None:
        for tick in range(start, start + rows):
            for number, named in enumerate(others):
                store.append(f"other-{number}", 1000 * tick, Row(named, np.array([float(tick)])))
            fill(store, 1, tick)

    fill_all(5, 1)
    room(store, 0)
    fill_all(60, 6)
    assert "history cannot be written" in store.notice
    room(store, 1 << 20)
    fill_all(60, 66)
    assert store.notice == ""
    store.close()
    again = Store.open(tmp_path, retention_ms=LONG)
    for frame in again.select(ALL, 0, LONG):
        assert frame.timeline.tolist() == list(range(1000, 126_000, 1000))
        assert (frame.values == frame.timeline / 1000).all()
    assert again.upkeep is not None
    assert again.upkeep.problems() == []
    again.close()
