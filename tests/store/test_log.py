from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.errors import StoreError
from sanso.model.frame import ABSENT, Columns, Floats, Row, is_absent
from sanso.model.labels import series_of
from sanso.model.matchers import Matcher
from sanso.store.log import LogBook, LoggedRow, rows_of
from sanso.store.schema import FILE
from sanso.store.store import Store

LONG = 10**12
ALL = [Matcher("__name__", "=", "m")]
cells = st.lists(st.one_of(st.just(ABSENT), st.floats(width=64)), max_size=30).map(np.array)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 10**13), cells), max_size=8))
def test_an_entry_gives_its_rows_back_to_the_bit(rows: list[tuple[int, int, Floats]]) -> None:
    made = [LoggedRow.of(frame, time, 7, values.astype(np.float64)) for frame, time, values in rows]
    found = list(rows_of(b"".join(row.data for row in made)))
    assert found == made
    assert [(row.frame, row.time_ms, row.layout) for row in found] == [(frame, time, 7) for frame, time, _ in rows]
    for row, (_, _, values) in zip(found, rows, strict=True):
        assert row.cells(len(values)).tobytes() == values.astype(np.float64).tobytes()


@given(st.binary(max_size=100), st.integers(0, 10))
def test_a_damaged_entry_is_said_to_be(data: bytes, width: int) -> None:
    good = LoggedRow.of(1, 1000, 1, np.array([1.0, *[ABSENT] * 9])).data
    for entry in (data, good[:-1], good[: len(good) // 2], good + data):
        with contextlib.suppress(StoreError):
            for row in rows_of(entry):
                assert len(row.cells(width)) == width


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=5),
            st.tuples(st.just("seal"), st.integers(1, 3), st.integers(0, 40)),
            st.just("tidy"),
        ),
        max_size=30,
    )
)
def test_what_is_needed_stays_and_the_rest_goes(
    steps: list[list[tuple[int, int]] | tuple[str, int, int] | str],
) -> None:
    """Against plain sets; entries are kept as lists of rows."""
    book, now = LogBook(8192), dict.fromkeys((1, 2, 3), 0)
    file: dict[int, list[LoggedRow]] = {}
    needed: dict[int, set[int]] = defaultdict(set)
    for turn, step in enumerate(steps, 1):
        if isinstance(step, list):
            rows = []
            for frame, later in step:  # 0 later: added to the row before
                now[frame] += later
                rows.append(LoggedRow.of(frame, now[frame], 1, np.zeros(2)))
                needed[frame].add(now[frame])
            file[turn] = rows
            book.add(turn, rows, 100)
        elif isinstance(step, tuple):
            _, frame, until = step
            until = min(until, now[frame] - 1)  # the newest may be added to
            book.apply(book.trimming(frame, until))
            needed[frame] = {time for time in needed[frame] if time > until}
        else:
            gone, thin = book.due(10**9)
            for number in gone:
                del file[number]
            for number in thin:
                file[number] = book.needed(file[number])
            book.settled(gone, [(number, 50) for number in thin])
            assert book.due(10**9) == ([], [])
            for rows in file.values():
                dead = [row for row in rows if row.time_ms not in needed[row.frame]]
                assert len(dead) * 2 < len(rows)
        held: dict[int, set[int]] = defaultdict(set)
        for row in (row for rows in file.values() for row in rows):
            held[row.frame].add(row.time_ms)
        assert all(needed[frame] <= held[frame] for frame in needed)
        times = [time for each in needed.values() for time in each]
        assert book.spread() == (len(times), min(times, default=0), max(times, default=0))


def write(store: Store, tick: int, *, slow: bool) -> None:
    """A row of one frame every tick, in two halves, and of another every tenth, in one transaction."""
    for half in (0, 1):
        named = _HALVES[half]
        store.append("fast", 1000 * tick, Row(named, np.full(20, float(tick + half))), complete=False)
    if slow and tick % 10 == 0:
        store.append("slow", 1000 * tick, Row(_SLOW, np.full(3, float(tick))), complete=False)
    store.commit()


_HALVES = [Columns(tuple(series_of("m", half=str(half), n=str(n)) for n in range(20))) for half in (0, 1)]
_SLOW = Columns(tuple(series_of("m", slow=str(n)) for n in range(3)))


def held(store: Store) -> dict[tuple[str, float], float]:
    return {
        (str(labels), time): value
        for frame in store.select(ALL, 0, LONG)
        for labels, values in zip(frame.labels, frame.values, strict=True)
        for time, value, absent in zip(frame.timeline.tolist(), values.tolist(), is_absent(values), strict=True)
        if not absent
    }


def logged(directory: Path) -> list[LoggedRow]:
    with sqlite3.connect(directory / FILE) as file:
        entries = file.execute("select data from log").fetchall()
    file.close()
    return [row for (data,) in entries for row in rows_of(data)]


@pytest.mark.parametrize("max_bytes", [0, 4 << 20])
def test_frames_that_are_sealed_at_other_times_share_entries_and_nothing_is_lost_or_kept_for_long(
    tmp_path: Path, max_bytes: int
) -> None:
    store = Store.open(tmp_path / "data", retention_ms=LONG, head_rows=40, max_bytes=max_bytes)
    for tick in range(1, 301):
        write(store, tick, slow=True)
    rows = logged(tmp_path / "data")
    slow = [row.time_ms for row in rows if row.frame == 2]
    assert slow == list(range(10_000, 301_000, 10_000))
    assert len([row for row in rows if row.frame == 1]) < 2 * 41 + 2 * len(slow)
    expected = held(store)
    assert len(expected) == 300 * 40 + 30 * 3
    shutil.copytree(tmp_path / "data", tmp_path / "killed")  # as a killed process leaves it
    store.close()
    for name in ("data", "killed"):
        again = Store.open(tmp_path / name, retention_ms=LONG, head_rows=40, max_bytes=max_bytes)
        assert held(again) == expected
        assert again.upkeep is not None
        assert again.upkeep.problems() == []
        for tick in range(301, 311):
            write(again, tick, slow=False)
        again.seal()
        assert len(held(again)) == len(expected) + 10 * 40
        again.close()
        assert logged(tmp_path / name) == []


def test_rows_that_were_sealed_do_not_come_back_when_their_blocks_are_gone(tmp_path: Path) -> None:
    """They may still stand in an entry of the log beside others."""
    store = Store.open(tmp_path, retention_ms=LONG, head_rows=40)
    store.append("slow", 1000, Row(_SLOW, np.ones(3)))
    for name in ("third", "fourth"):
        store.append(name, 1000, Row(Columns((series_of("m", slow=name),)), np.ones(1)))
    for tick in range(1, 60):
        write(store, tick, slow=False)
    store.close()
    assert [row.time_ms for row in logged(tmp_path) if row.frame == 4 and row.time_ms < 20_000] == [1000, 1000]
    with sqlite3.connect(tmp_path / FILE) as file:
        file.execute("delete from blocks")
    file.close()
    store = Store.open(tmp_path, retention_ms=LONG, head_rows=40)
    assert min(time for labels, time in held(store) if "half" in labels) > 20_000
    assert min(time for labels, time in held(store) if "slow" in labels) == 1000
    store.close()


def test_the_number_of_a_frame_that_ended_is_not_given_to_another_while_the_log_names_it(tmp_path: Path) -> None:
    store = Store.open(tmp_path, retention_ms=LONG)
    store.append("first", 1000, Row(Columns((series_of("m"),)), np.ones(1)))
    store.append("second", 1000, Row(Columns((series_of("n"),)), np.ones(1)))
    store.commit()
    store.close()
    with sqlite3.connect(tmp_path / FILE) as file:
        file.execute("delete from frames where name = 'second'")
        file.execute("delete from series where frame = 2")
    file.close()
    store = Store.open(tmp_path, retention_ms=LONG)
    store.append("third", 500, Row(Columns((series_of("o"),)), np.ones(1)))
    store.commit()
    store.close()
    store = Store.open(tmp_path, retention_ms=LONG)
    assert [frame.timeline.tolist() for frame in store.select([Matcher("__name__", "=", "o")], 0, LONG)] == [[500]]
    assert store.upkeep is not None
    assert store.upkeep.problems() == []
    store.close()
