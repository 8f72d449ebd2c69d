from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.clock import FixedClock
from sanso.model.errors import StoreBusyError, StoreError
from sanso.model.frame import Columns, Family, Row, is_absent, is_stale
from sanso.model.labels import Labels, series_of
from sanso.model.matchers import Matcher
from sanso.store.lock import holder
from sanso.store.store import Store

LONG = 10**12
ALL = [Matcher("__name__", "=~", ".+")]


OPENED: list[Store] = []


@pytest.fixture(autouse=True)
def _all_are_closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def open_store(path: Path, head_rows: int = 5, retention_ms: int = LONG) -> Store:
    OPENED.append(Store.open(path, retention_ms=retention_ms, head_rows=head_rows))
    return OPENED[-1]


def row(**values: float) -> Row:
    return Row(Columns(tuple(series_of(name) for name in values)), np.array(list(values.values())))


def held(store: Store, start: int = 0, end: int = LONG) -> dict[tuple[Labels, int], float]:
    found = {}
    for frame in store.select(ALL, start, end):
        for labels, values in zip(frame.labels, frame.values, strict=True):
            for time_ms, value, gap in zip(frame.timeline.tolist(), values.tolist(), is_absent(values), strict=True):
                if not gap:
                    found[labels, time_ms] = value
    return found


steps = st.lists(
    st.tuples(
        st.sampled_from(["f", "g"]),
        st.integers(-6, 3),
        st.dictionaries(st.sampled_from("abcd"), st.floats(-10, 10), min_size=1),
        st.sampled_from(["", "commit", "reopen", "prune", "seal"]),
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(steps)
def test_the_store_is_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, dict[str, float], str]]
) -> None:
    path = tmp_path_factory.mktemp("store")
    store = open_store(path, head_rows=3)
    expected: dict[tuple[Labels, int], float] = {}
    newest = {"f": -1, "g": -1}
    for frame, ahead, values, then in steps:
        time_ms = newest[frame] + ahead
        if time_ms >= 0:
            named = {series_of(f"{frame}_{name}"): value for name, value in values.items()}
            other = [name for name, value in named.items() if repr(expected.get((name, time_ms), value)) != repr(value)]
            assert store.append(
                frame, time_ms, Row(Columns(tuple(named)), np.array([*named.values()])), complete=False
            ) == len(other)
            for name, value in named.items():
                expected.setdefault((name, time_ms), value)
            newest[frame] = max(newest[frame], time_ms)
        if then == "prune":
            store.prune(LONG)
        if then == "seal":
            store.seal()
        if then:
            store.commit()
        if then == "reopen":
            store.close()
            store = open_store(path, head_rows=3)
        assert held(store) == expected
    store.close()


def test_a_series_that_ends_is_marked_once(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    both, one = row(a=1.0, b=2.0), row(a=3.0)
    for time_ms, given_row in enumerate([both, one, one], 1):
        store.append("f", time_ms, given_row)
    frame = store.select([Matcher("__name__", "=", "b")], 0, 10)[0]
    assert is_stale(frame.values[0]).tolist() == [False, True, False]
    assert is_absent(frame.values[0]).tolist() == [False, False, True]


def test_late_rows_are_accepted_as_far_as_the_window_reaches(tmp_path: Path) -> None:
    OPENED.append(Store.open(tmp_path, retention_ms=LONG, late_ms=100))
    store = OPENED[-1]
    assert store.append("f", 1000, row(a=1.0)) == 0
    assert store.append("f", 900, row(a=2.0)) == 0
    assert store.append("f", 899, row(a=3.0, b=4.0)) == 1  # b has nothing newer
    assert store.append("f", 900, row(a=2.0)) == 0  # sent twice
    assert store.append("f", 900, row(a=5.0)) == 1  # the first one stands
    assert store.append("f", 1000, row(a=5.0, b=7.0), complete=False) == 1
    assert held(store) == {
        (series_of("a"), 900): 2.0,
        (series_of("a"), 1000): 1.0,
        (series_of("b"), 899): 4.0,
        (series_of("b"), 1000): 7.0,
    }
    assert store.stats().refused == 3


def test_the_second_opener_is_told_who_holds_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store.lock is not None
    store.lock.set_url("http://127.0.0.1:1")
    with pytest.raises(StoreBusyError, match=r"answers at http://127\.0\.0\.1:1") as caught:
        open_store(tmp_path)
    assert caught.value.url == "http://127.0.0.1:1"
    found = holder(tmp_path)
    assert found is not None
    assert found.url == "http://127.0.0.1:1"
    store.close()
    assert holder(tmp_path) is None


def test_retention_drops_whole_old_rows_and_forgets_dead_series(tmp_path: Path) -> None:
    store = open_store(tmp_path, head_rows=2, retention_ms=100)
    for time_ms in range(0, 200, 10):
        store.append("old" if time_ms < 50 else "new", time_ms, row(**{"a" if time_ms < 50 else "b": 1.0}))
        store.commit()
    store.prune(250)
    assert {labels for labels, _ in held(store)} == {series_of("b")}
    assert min(time_ms for _, time_ms in held(store)) >= 140
    assert store.stats().series == 1


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    import sqlite3

    connection = sqlite3.connect(tmp_path / "sanso.db")
    connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer Sanso"):
        open_store(tmp_path)


def test_a_family_of_which_nothing_is_said_replaces_nothing() -> None:
    store = Store.in_memory(retention_ms=10**9)
    known, other = Family("a", "counter", "A."), Family("a", "gauge", "")
    for told, held in ((Family("a", "unknown", ""), Family("a", "unknown", "")), (known, known), (other, other)):
        store.describe([told])
        store.describe([Family("a", "unknown", "")])
        assert store.families() == {"a": held}


def test_state_and_families_survive(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.describe([Family("a", "gauge", "A.")])
    store.states.save_state("k", b"v")
    store.close()
    store = open_store(tmp_path)
    assert store.states.load_state("k") == b"v"
    assert store.families()["a"].help == "A."


def test_a_frame_of_empty_rows_does_not_keep_the_store_from_starting(tmp_path: Path) -> None:
    clock = FixedClock(10_000)
    store = Store.open(tmp_path, retention_ms=10**9)
    full = Columns((series_of("x"),))
    for tick, columns in enumerate([Columns(()), full, Columns(()), Columns(())]):
        store.append("alerts", 1000 * (tick + 1), Row(columns, np.ones(len(columns.labels))))
        store.commit()
        store.prune(clock.now_ms())
    store.append("empty", 5000, Row(Columns(()), np.ones(0)))
    store.prune(clock.now_ms())
    store.commit()
    store.close()
    again = Store.open(tmp_path, retention_ms=10**9)
    frames = again.select([Matcher("__name__", "=", "x")], 0, 10_000)
    assert frames[0].values[0, 0] == 1.0
    assert is_stale(frames[0].values)[0, 1]
    again.close()


def test_readers_in_many_short_threads_leave_no_connection_open(tmp_path: Path) -> None:
    store = open_store(tmp_path, head_rows=3)
    columns = Columns((series_of("x"),))
    for tick in range(20):
        store.append("f", 1000 * (tick + 1), Row(columns, np.ones(1)))
        store.commit()
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(store.select(ALL, 0, LONG)[0].timeline))) for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [20] * 30
    store.close()
    open_files = [str(file.path) for file in psutil.Process().open_files()]
    assert not [path for path in open_files if path.startswith(str(tmp_path))]
