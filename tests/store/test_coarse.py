from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.frame import ABSENT, STALE, Columns, Floats, Frame, Part, Row, absent, is_absent, is_stale
from sanso.model.labels import Labels, series_of
from sanso.model.matchers import Matcher
from sanso.model.native_histogram import Hint, NativeHistogram, component, parts
from sanso.store.archive import backup, restore
from sanso.store.coarse import PARTS, tiers_by_use
from sanso.store.schema import FILE
from sanso.store.store import Store

LONG = 10**12
RAW_MS, FINE_MS, ROUGH_MS = 60_000, 10_000, 300_000
TIERS = {FINE_MS: LONG, ROUGH_MS: LONG}
ALL = [Matcher("__name__", "=~", ".+")]
cells = st.one_of(
    st.just(ABSENT), st.just(STALE), st.just(math.nan), st.floats(-1e6, 1e6), st.integers(-5, 5).map(float)
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = opened_at(tmp_path / "data")
    yield opened
    opened.close()


def opened_at(path: Path, tiers: dict[int, int] = TIERS) -> Store:
    return Store.open(path, retention_ms=RAW_MS, head_rows=37, tiers=tiers)


def columns(count: int) -> Columns:
    return Columns(tuple(series_of("m", n=str(n)) for n in range(count)))


def fill(store: Store, values: Floats, *, start: int = 1) -> None:
    """Rows [T, N] a second apart."""
    named = columns(values.shape[1])
    for tick, row in enumerate(values, start):
        store.append("f", 1000 * tick, Row(named, row), complete=False)
        store.commit()


def asked(store: Store, part: Part, step_ms: int = 1000, matchers: list[Matcher] = ALL) -> Frame:
    (frame,) = store.select(matchers, 0, LONG, part=part, step_ms=step_ms)
    return frame


def plain(values: Floats, part: Part) -> float:
    """What a part of a bucket is, said plainly: a stale marker only where there is no sample."""
    samples = values[~(is_absent(values) | is_stale(values))]
    if not len(samples):
        return STALE if is_stale(values).any() else ABSENT
    numbers = samples[~np.isnan(samples)]
    found = {
        "last": samples[-1],
        "min": numbers.min() if len(numbers) else math.nan,
        "max": numbers.max() if len(numbers) else math.nan,
        "sum": samples.sum(),
        "count": float(len(samples)),
    }
    return float(found[part])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=12, max_size=70))
def test_parts_are_what_the_buckets_hold(tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]]) -> None:
    values = np.array(rows)
    store = opened_at(tmp_path_factory.mktemp("coarse") / "data", {FINE_MS: LONG})
    fill(store, values)
    store.seal()
    store.prune(10_000_000)
    for part in PARTS:
        for column in range(2):
            found = store.select([Matcher("n", "=", str(column))], 0, LONG, part=part)
            given_times = np.arange(1, len(values) + 1)
            samples = values[:, column]
            expected = [plain(samples[given_times // 10 == bucket].copy(), part) for bucket in range(8)]
            expected = [each for each in expected if not is_stale(np.array([each]))[0]]
            held = absent(0)
            if found:
                (frame,) = found
                assert frame.coarse_ms == FINE_MS
                assert (np.diff(frame.timeline) > 0).all()
                there = ~(is_absent(frame.values[0]) | is_stale(frame.values[0]))
                held = frame.values[0][there]
            real = np.array([each for each in expected if not is_absent(np.array([each]))[0]])
            assert len(held) == len(real)
            assert np.allclose(held, real, rtol=1e-9, equal_nan=True)
    store.close()


def test_coarse_samples_fill_what_raw_ones_left(store: Store) -> None:
    values = np.random.default_rng(1).normal(size=(900, 3))
    fill(store, values)
    store.prune(900_000)
    for step_ms, resolution in ((1000, FINE_MS), (299_999, FINE_MS), (300_000, ROUGH_MS), (3_600_000, ROUGH_MS)):
        count, total = asked(store, "count", step_ms), asked(store, "sum", step_ms)
        assert count.coarse_ms == resolution
        assert (np.diff(count.timeline) > 0).all()
        assert count.values.sum(axis=1).tolist() == [900.0] * 3
        assert np.allclose(total.values.sum(axis=1), values.sum(axis=0))
        assert asked(store, "min", step_ms).values.min(axis=1).tolist() == values.min(axis=0).tolist()
        assert asked(store, "max", step_ms).values.max(axis=1).tolist() == values.max(axis=0).tolist()
        raw = asked(store, "last", step_ms)
        assert raw.values[:, -60:].tobytes() == values[-60:].T.tobytes()
        last_of_each = values[(raw.timeline[:-100] // 1000) - 1]
        assert raw.values[:, :-100].tobytes() == np.ascontiguousarray(last_of_each.T).tobytes()
    (recent,) = store.select(ALL, 870_000, LONG, part="count")
    assert recent.coarse_ms == 0
    assert (recent.values == 1.0).all()
    assert store.upkeep is not None
    assert store.upkeep.problems() == []


def test_the_finer_tier_goes_first_and_the_rougher_one_answers_for_it(tmp_path: Path) -> None:
    tiers = {FINE_MS: 300_000, ROUGH_MS: 1_300_000}
    store = opened_at(tmp_path, tiers)
    values = np.random.default_rng(1).normal(size=(1500, 2))
    fill(store, values[:1200])
    store.prune(1_200_000)
    count = asked(store, "count")
    assert count.coarse_ms == ROUGH_MS
    steps = np.diff(count.timeline[count.timeline > 920_000])
    assert steps.max() <= FINE_MS  # fine where it is held
    assert count.values.sum(axis=1).tolist() == [1200.0] * 2
    fill(store, values[1200:], start=1201)
    store.prune(1_500_000)
    kept = asked(store, "count")
    assert 160_000 <= kept.timeline[0] <= 300_000
    store.prune(3_000_000)
    assert store.select(ALL, 0, LONG) == []
    store.prune(3_000_001)
    assert store.stats().series == 0
    store.close()


def test_a_series_that_ended_stays_ended(store: Store) -> None:
    values = np.ones((300, 3))
    values[14, 1] = STALE  # in a bucket with samples: the marker follows
    values[15:, 1] = ABSENT
    values[299, 2] = STALE  # in the last bucket of the last block
    fill(store, values)
    store.seal()
    store.prune(10_000_000)
    for part in PARTS:
        for step_ms in (1000, ROUGH_MS):
            frame = asked(store, part, step_ms)
            for line in (1, 2):
                there = frame.values[line][~is_absent(frame.values[line])]
                assert is_stale(there).tolist() == [False] * (len(there) - 1) + [True]
            assert not is_stale(frame.values[0]).any()
            assert frame.timeline[-1] == 300_000
            assert (np.diff(frame.timeline) > 0).all()


def test_deleted_samples_are_in_no_sum(store: Store) -> None:
    fill(store, np.ones((200, 2)))
    store.delete([Matcher("n", "=", "1")], 0, 50_000)
    store.prune(10_000_000)
    store.seal()
    assert asked(store, "sum", matchers=[Matcher("n", "=", "0")]).values.sum() == 200
    held = asked(store, "sum", matchers=[Matcher("n", "=", "1")]).values
    assert held[~is_absent(held)].sum() == 150
    store.delete([Matcher("n", "=", "0")], 0, 99_999)
    store.seal(clean=True)
    held = asked(store, "sum", matchers=[Matcher("n", "=", "0")]).values
    assert held[~is_absent(held)].sum() == 101
    assert store.upkeep is not None
    assert store.upkeep.problems() == []


def test_coarse_samples_survive_a_restart_merging_and_a_backup(tmp_path: Path) -> None:
    store = opened_at(tmp_path / "data")
    fill(store, np.cumsum(np.random.default_rng(1).integers(0, 9, (900, 3)), axis=0).astype(float))
    store.prune(900_000)
    before = {(part, step): asked(store, part, step) for part in PARTS for step in (1000, ROUGH_MS)}
    store.seal()
    store.close()
    backup(tmp_path / "data", tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "other")
    for folder in ("data", "other"):
        store = opened_at(tmp_path / folder)
        for (part, step), frame in before.items():
            again = asked(store, part, step)
            assert again.timeline.tolist() == frame.timeline.tolist()
            assert again.values.tobytes() == frame.values.tobytes()
        store.close()
    connection = sqlite3.connect(tmp_path / "data" / FILE)
    assert connection.execute("select count(*) from blocks where tier > 0").fetchone()[0] <= 2
    connection.close()


def test_a_histogram_of_a_bucket_is_one_that_was(store: Store) -> None:
    first = parts(NativeHistogram(5, 3.0, 1.5, positive=((1, 2.0), (2, 1.0)), hint=Hint.UNKNOWN))
    then = parts(NativeHistogram(4, 5.0, 2.5, zero_count=1.0, zero_threshold=0.5, positive=((1, 4.0),)))
    names = sorted({*first, *then})
    labels: list[Labels] = [component(series_of("h"), name) for name in names]
    named = Columns(tuple(labels))
    for tick in range(1, 21):
        held = first if tick < 16 else then
        cells = np.array([held.get(name, ABSENT) for name in names])
        store.append("h", 1000 * tick, Row(named, cells), complete=False)
        store.commit()
    store.seal()
    store.prune(10_000_000)
    (frame,) = store.select(ALL, 0, LONG)
    assert frame.timeline.tolist() == [9000, 19_000, 20_000]
    for column, held in enumerate((first, then, then)):
        found = dict(zip(frame.labels, frame.values[:, column].tolist(), strict=True))
        there = ~is_absent(np.ascontiguousarray(frame.values[:, column]))
        assert {
            name: found[label] for name, label, is_there in zip(names, labels, there, strict=True) if is_there
        } == held


def test_at_the_limit_of_bytes_coarse_samples_stay_where_raw_ones_go(tmp_path: Path) -> None:
    limit = 2 << 20
    store = Store.open(tmp_path, retention_ms=LONG, head_rows=60, max_bytes=limit, tiers={FINE_MS: 2 * LONG})
    random = np.random.default_rng(1)
    for begin in range(1, 4000, 100):
        fill(store, random.normal(size=(100, 50)), start=begin)
        store.prune(begin * 1000)
        assert sum(path.stat().st_size for path in tmp_path.glob(FILE + "*")) <= limit + (64 << 10)  # -shm
    frame = asked(store, "count")
    assert frame.coarse_ms == FINE_MS
    assert frame.values[0, 0] > 1
    assert frame.values[0].sum() * 1000 == 4_000_000 - frame.timeline[0] + frame.values[0, 0] * 1000
    store.close()


@given(st.sets(st.integers(1, 1000)), st.integers(0, 1000))
def test_the_coarsest_tier_that_serves_the_step_comes_first(tiers: set[int], step: int) -> None:
    order = tiers_by_use(sorted(tiers), step)
    assert set(order) == tiers
    serving = [tier for tier in tiers if tier <= step]
    if tiers:
        assert order[0] == (max(serving) if serving else min(tiers))
