from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.errors import StoreBusyError, StoreError
from sanso.model.frame import Columns, Floats, Row, is_absent
from sanso.model.labels import Labels, series_of
from sanso.model.matchers import Matcher
from sanso.store import schema
from sanso.store.archive import backup, restore
from sanso.store.compaction import LONGEST_ROWS, Stored, due
from sanso.store.migration import to_version_3
from sanso.store.schema import FILE, VERSION, pack
from sanso.store.store import Store
from tests.store import old_file

LONG = 10**12
ALL = [Matcher("__name__", "=~", ".+")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "data", retention_ms=LONG, head_rows=10)
    yield opened
    opened.close()


def columns(count: int) -> Columns:
    return Columns(tuple(series_of("m", n=str(n)) for n in range(count)))


def fill(store: Store, rows: int, *, series: int = 3, start: int = 1, seed: int = 1) -> None:
    named, random = columns(series), np.random.default_rng(seed)
    for tick in range(start, start + rows):
        store.append("f", 1000 * tick, Row(named, random.normal(size=series)))
        store.commit()


def held(store: Store, matchers: list[Matcher] = ALL) -> dict[Labels, Floats]:
    return {
        labels: values
        for frame in store.select(matchers, 0, LONG)
        for labels, values in zip(frame.labels, frame.values, strict=True)
    }


def same(left: dict[Labels, Floats], right: dict[Labels, Floats]) -> bool:
    return left.keys() == right.keys() and all(left[k].tobytes() == right[k].tobytes() for k in left)


def test_compaction_and_sealing_change_no_bit(store: Store) -> None:
    fill(store, 95)
    before = held(store)
    store.seal()
    assert store.upkeep is not None
    spread = store.upkeep.spread()
    assert (spread.blocks, spread.logged, spread.oldest_ms, spread.newest_ms) == (1, 0, 1000, 95_000)
    assert same(held(store), before)
    assert store.upkeep.problems() == []


@given(st.lists(st.integers(1, LONGEST_ROWS), max_size=40), st.booleans())
def test_what_is_compacted_lies_together_and_is_not_too_long(rows: list[int], all_of_them: bool) -> None:
    blocks = [Stored(n, each, 10 * n, 10 * n + 9) for n, each in enumerate(rows)]
    run = due(blocks, all_of_them=all_of_them)
    assert len(run) != 1
    assert sum(block.rows for block in run) <= LONGEST_ROWS
    assert [block for block in blocks if block in run] == run


def test_deleted_samples_are_hidden_at_once_for_ever_and_then_gone(tmp_path: Path) -> None:
    store = Store.open(tmp_path, retention_ms=LONG, head_rows=10)
    fill(store, 25)
    chosen = [Matcher("n", "=", "1")]
    assert store.delete(chosen, 5_000, 22_000) == 1
    store.commit()

    def hidden(store: Store) -> list[int]:
        (frame,) = store.select(chosen, 0, LONG)
        return [int(time_ms) for time_ms in frame.timeline[is_absent(frame.values)[0]]]

    expected = list(range(5_000, 22_001, 1000))
    assert hidden(store) == expected
    store.close()
    store = Store.open(tmp_path, retention_ms=LONG, head_rows=10)
    assert hidden(store) == expected
    store.seal(clean=True)
    assert hidden(store) == expected
    connection = sqlite3.connect(tmp_path / FILE)
    assert connection.execute("select count(*) from tombstones").fetchone() == (0,)
    connection.close()
    store.close()


def on_disk(directory: Path) -> int:
    """Bytes of file and write-ahead log; the index of the latter lies in shared memory elsewhere."""
    return sum(path.stat().st_size for path in (directory / FILE, directory / f"{FILE}-wal") if path.exists())


@pytest.mark.parametrize(("limit", "series"), [(1 << 20, 100), (3 << 20, 400)])
def test_the_limit_of_bytes_holds_after_every_commit_and_the_oldest_goes_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, limit: int, series: int
) -> None:
    store = Store.open(tmp_path, retention_ms=LONG, head_rows=40, max_bytes=limit)
    named, random = columns(series), np.random.default_rng(1)
    rows = 3 * limit // 8 // series  # three times what goes in
    for tick in range(1, rows + 1):
        store.append("f", 1000 * tick, Row(named, random.normal(size=series)))
        store.commit()
        assert on_disk(tmp_path) <= limit
        if tick % 60 == 0:
            store.prune(1000 * tick)
            assert on_disk(tmp_path) <= limit
    (frame,) = store.select([Matcher("n", "=", "0")], 0, LONG)
    assert frame.timeline[-1] == 1000 * rows
    assert frame.timeline[0] > 1_000
    assert (np.diff(frame.timeline) == 1000).all()
    assert len(frame.timeline) * series * 8 > limit // 3
    assert store.notice == ""
    assert store.stats().lost == 0
    assert "limit of bytes" in caplog.text
    store.close()
    assert on_disk(tmp_path) <= limit


def kept(store: Store) -> list[float]:
    (frame,) = store.select([Matcher("n", "=", "0")], 0, LONG)
    return [time / 1000 for time in frame.timeline.tolist()]


def test_a_limit_that_the_log_of_one_head_would_fill_is_lived_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limit = 2 << 20
    store = Store.open(tmp_path, retention_ms=LONG, max_bytes=limit)  # 600 rows of 500 series are 2.4 MB
    named, random = columns(500), np.random.default_rng(1)
    for tick in range(1, 1801):
        store.append("f", 1000 * tick, Row(named, random.normal(size=500)))
        store.commit()
        assert store.notice == ""
        assert on_disk(tmp_path) <= limit
    assert "cannot be written" not in caplog.text
    store.close()
    store = Store.open(tmp_path, retention_ms=LONG, max_bytes=limit)
    times = kept(store)
    assert times == list(range(1801 - len(times), 1801))
    assert len(times) > 200
    store.close()


def test_a_limit_that_is_set_on_a_log_beyond_it_makes_room(tmp_path: Path) -> None:
    store = Store.open(tmp_path, retention_ms=LONG)
    fill(store, 500, series=300)  # not sealed yet
    store.close()
    before, limit = on_disk(tmp_path), 1 << 20
    assert before > limit
    store = Store.open(tmp_path, retention_ms=LONG, max_bytes=limit)
    for tick in range(501, 520):
        store.append("g", 1000 * tick, Row(columns(400), np.full(400, float(tick))))
        store.commit()
    assert store.notice == ""
    assert on_disk(tmp_path) <= limit
    (frame,) = store.select([Matcher("n", "=", "399")], 0, LONG)
    assert frame.timeline.tolist() == list(range(501_000, 520_000, 1000))
    store.close()


def test_the_limit_of_bytes_holds_while_somebody_reads_for_long(tmp_path: Path) -> None:
    limit = 1 << 20
    store = Store.open(tmp_path, retention_ms=LONG, head_rows=40, max_bytes=limit)
    fill(store, 50)
    reader = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from blocks").fetchone()
    named, random = columns(300), np.random.default_rng(1)
    for tick in range(51, 200):
        store.append("g", 1000 * tick, Row(named, random.normal(size=300)))
        store.commit()
        assert on_disk(tmp_path) <= limit
    assert "while a long reading lasts" in store.notice
    reader.close()
    store.commit()
    assert store.notice == ""
    assert on_disk(tmp_path) <= limit
    (frame,) = store.select([Matcher("n", "=", "299")], 0, LONG)
    assert len(frame.timeline) == 149
    store.close()


def test_a_backup_is_of_one_moment_whatever_is_written_meanwhile(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "data", retention_ms=LONG, head_rows=10)
    fill(store, 300, series=200)
    stop = threading.Event()

    def write() -> None:
        for tick in range(301, 100_000):
            fill(store, 1, series=200, start=tick)
            if tick % 50 == 0:
                store.prune(1000 * tick)
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(5):
            backup(tmp_path / "data", tmp_path / f"copy{turn}")
    finally:
        stop.set()
        writer.join()
    store.close()
    lengths = []
    for turn in range(5):
        restore(tmp_path / f"copy{turn}", tmp_path / f"other{turn}")
        again = Store.open(tmp_path / f"other{turn}", retention_ms=LONG)
        (frame,) = again.select(ALL, 0, LONG)
        assert (np.diff(frame.timeline) == 1000).all()
        assert len(frame.labels) == 200
        assert not is_absent(frame.values).any()
        lengths.append(len(frame.timeline))
        again.close()
    assert lengths == sorted(lengths)
    assert lengths[0] >= 300


def test_a_backup_of_a_store_in_use_is_whole_and_can_be_restored(store: Store, tmp_path: Path) -> None:
    fill(store, 33)
    before = held(store)
    copy = tmp_path / "copy.db"
    assert backup(tmp_path / "data", copy) == copy.stat().st_size
    fill(store, 5, start=34)
    with pytest.raises(StoreError, match="exists"):
        backup(tmp_path / "data", copy)
    with pytest.raises(StoreBusyError):
        restore(copy, tmp_path / "data", force=True)
    restore(copy, tmp_path / "other")
    again = Store.open(tmp_path / "other", retention_ms=LONG)
    assert same(held(again), before)
    again.close()
    with pytest.raises(StoreError, match="--force"):
        restore(copy, tmp_path / "other")
    restore(copy, tmp_path / "other", force=True)


def test_what_is_not_a_whole_backup_is_refused(store: Store, tmp_path: Path) -> None:
    fill(store, 33)
    store.seal()
    copy = tmp_path / "copy.db"
    backup(tmp_path / "data", copy)
    connection = sqlite3.connect(copy)
    connection.execute("update pieces set data = zeroblob(length(data))")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match=r"damaged: block \d+ of frame 1"):
        restore(copy, tmp_path / "other")
    (tmp_path / "text").write_text("not a backup, but long enough to be looked at as one" * 100)
    with pytest.raises(StoreError, match="not a backup"):
        restore(tmp_path / "text", tmp_path / "other")
    with pytest.raises(StoreError, match="no history"):
        backup(tmp_path / "nowhere", tmp_path / "x")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_file_of_a_version_before_is_brought_forward(tmp_path: Path, version: int) -> None:
    values = np.random.default_rng(1).normal(size=(230, 3))
    old_file.write(tmp_path / "data", list(columns(3).labels), values, sealed=30)
    connection = sqlite3.connect(tmp_path / "data" / FILE)
    if version == 1:
        connection.executescript("drop table tombstones; pragma user_version = 1;")
    if version == 3:
        to_version_3(connection, schema._BLOCKS)
        connection.execute("pragma user_version = 3")
        connection.commit()
    connection.close()
    restore(tmp_path / "data" / FILE, tmp_path / "restored")
    with contextlib.closing(Store.open(tmp_path / "restored", retention_ms=LONG)) as restored:
        assert all(len(each) == 230 for each in held(restored).values())
    store = Store.open(tmp_path / "data", retention_ms=LONG)
    assert {key: each.tobytes() for key, each in held(store).items()} == {
        labels: values[:, column].tobytes() for column, labels in enumerate(columns(3).labels)
    }
    assert store.upkeep is not None
    assert store.upkeep.problems() == []
    assert store.upkeep.spread().logged == 200
    assert store.delete(ALL, 0, LONG) == 3
    store.close()
    connection = sqlite3.connect(tmp_path / "data" / FILE)
    assert connection.execute("pragma user_version").fetchone() == (VERSION,)
    connection.close()


def test_series_that_come_and_go_are_forgotten(tmp_path: Path) -> None:
    store = Store.open(tmp_path, retention_ms=60_000, head_rows=10)
    for tick in range(1, 2001):
        named = Columns(tuple(series_of("m", pod=str((tick + n) // 20)) for n in range(0, 200, 20)))
        store.append("f", 1000 * tick, Row(named, np.ones(len(named.labels))))
        store.commit()
        if tick % 100 == 0:
            store.prune(1000 * tick)
    assert store.stats().series <= 20
    connection = sqlite3.connect(tmp_path / FILE)
    assert connection.execute("select count(*) from series").fetchone()[0] <= 20
    assert connection.execute("select count(*) from layouts").fetchone()[0] <= 20
    connection.close()
    store.close()


def test_a_file_put_aside_is_packed_and_opens_as_before(tmp_path: Path) -> None:
    store = Store.open(tmp_path, retention_ms=LONG)
    fill(store, 50)
    store.seal()
    before = store.select(ALL, 0, LONG)
    store.close()
    size = (tmp_path / FILE).stat().st_size
    pack(tmp_path)
    assert (tmp_path / FILE).stat().st_size < size / 2
    store = Store.open(tmp_path, retention_ms=LONG)
    after = store.select(ALL, 0, LONG)
    assert [frame.values.tobytes() for frame in after] == [frame.values.tobytes() for frame in before]
    fill(store, 50, start=60)
    pack(tmp_path)  # in use: nothing happens
    store.close()
    with sqlite3.connect(tmp_path / FILE) as file:
        assert file.execute("pragma page_size").fetchone() == (8192,)
        assert file.execute("pragma auto_vacuum").fetchone() == (2,)
        assert file.execute("pragma journal_mode").fetchone() == ("wal",)
