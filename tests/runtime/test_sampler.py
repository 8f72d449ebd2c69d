from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sanso.model.clock import SystemClock
from sanso.model.errors import SourceError
from sanso.model.frame import Row
from sanso.model.labels import Labels, series_of
from sanso.model.matchers import Matcher
from sanso.runtime.sampler import Sampler
from sanso.sources.base import Source
from sanso.store.store import Store
from tests.runtime.fakes import FakeSource, HangingSource, row

START = 1_790_000_000_000


@contextmanager
def sampling(*sources: Source, deadline: float = 0.2) -> Iterator[tuple[Sampler, Store]]:
    store = Store.in_memory(retention_ms=10**9)
    sampler = Sampler(sources, store, SystemClock(), deadline)
    yield sampler, store
    sampler.stop()
    store.close()


def values(store: Store, name: str) -> dict[Labels, list[float]]:
    frames = store.select([Matcher("__name__", "=", name)], 0, 2 * START)
    return {labels: frame.values[i].tolist() for frame in frames for i, labels in enumerate(frame.labels)}


def up(store: Store, source: str) -> list[float]:
    return values(store, "sanso_source_up")[series_of("sanso_source_up", source=source)]


def test_every_source_gives_its_row_and_its_own_figures() -> None:
    with sampling(FakeSource("a", lambda now: row("a", 1.0, 2.0)), FakeSource("b", lambda now: None)) as (s, store):
        s.tick(START)
        assert values(store, "a") == {series_of("a", i="0"): [1.0], series_of("a", i="1"): [2.0]}
        assert up(store, "a") == up(store, "b") == [1.0]
        samples = values(store, "sanso_source_samples")
        assert samples[series_of("sanso_source_samples", source="a")] == [2.0]
        assert samples[series_of("sanso_source_samples", source="b")] == [0.0]


@pytest.mark.parametrize("error", [SourceError("no file"), ZeroDivisionError("x")])
def test_a_source_that_fails_costs_its_own_tick_only(error: Exception) -> None:
    failing = True

    def answer(now_ms: int) -> Row:
        if failing:
            raise error
        return row("bad", 1.0)

    with sampling(FakeSource("bad", answer), FakeSource("good", lambda now: row("good", 1.0))) as (s, store):
        s.tick(START)
        failing = False
        s.tick(START + 1000)
        assert up(store, "bad") == [0.0, 1.0]
        assert up(store, "good") == [1.0, 1.0]
        assert s.readings()[0].up


def test_a_source_that_hangs_is_not_asked_again_and_holds_nobody() -> None:
    hanging = HangingSource("hang")
    with sampling(hanging, FakeSource("good", lambda now: row("good", 1.0)), deadline=0.1) as (s, store):
        began = time.monotonic()
        for tick in range(4):
            s.tick(START + tick * 1000)
        assert time.monotonic() - began < 2
        assert hanging.reads == 1
        assert up(store, "hang") == [0.0] * 4
        assert len(values(store, "good")[series_of("good", i="0")]) == 4
        assert "still reading" in s.readings()[0].error
        hanging.free.set()
        for tick in range(4, 60):
            s.tick(START + tick * 1000)
            if s.readings()[0].up:
                break
        assert s.readings()[0].up
        late = values(store, "hang")[series_of("hang", i="0")]
        assert START not in late  # the answer to the first tick came too late: its time is not told as another's


def test_a_series_that_ends_gets_a_stale_marker_and_comes_again() -> None:
    rows = iter([row("x", 1.0, 2.0), row("x", 1.0), row("x", 1.0, 5.0)])
    with sampling(FakeSource("x", lambda now: next(rows))) as (s, store):
        for tick in range(3):
            s.tick(START + tick * 1000)
        from sanso.model.frame import is_stale

        frame = store.select([Matcher("__name__", "=", "x"), Matcher("i", "=", "1")], 0, 2 * START)[0]
        assert is_stale(frame.values)[0].tolist() == [False, True, False]
        assert frame.values[0, [0, 2]].tolist() == [2.0, 5.0]
