"""Counters, gauges and histograms; what they drop is counted."""

from __future__ import annotations

import math
import threading
from collections import Counter as Tally
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sanso.sdk import instruments
from sanso.sdk.instruments import Buffer, Counter, Gauge, Histogram


class Drops:
    def __init__(self) -> None:
        self.counts: Tally[str] = Tally()

    def __call__(self, reason: str, count: int) -> None:
        self.counts[reason] += count


def test_a_counter_adds_and_refuses_what_is_no_increase() -> None:
    counter, drops = Counter((), 0), Drops()
    junk: Any = "1"
    for amount in (1, 2.5, -1, math.nan, junk):
        counter.add(amount)
    assert counter.fold(drops) == 5
    assert counter.value == 3.5
    assert +drops.counts == {"negative": 1, "not_a_number": 2}


def test_a_gauge_is_absent_until_it_is_set() -> None:
    gauge = Gauge((), 0)
    values = [gauge.value]
    gauge.add(2)
    gauge.add(-1)
    values.append(gauge.value)
    gauge.set(7)
    values.append(gauge.value)
    assert values == [None, 1, 7]


def test_a_gauge_drops_what_is_no_number() -> None:
    gauge, drops = Gauge((), 0), Drops()
    junk: Any = "7"
    gauge.set(junk)
    gauge.fold(drops)
    values = [gauge.value]
    assert drops.counts["not_a_number"] == 1
    gauge.set(3)
    gauge.fold(drops)
    values.append(gauge.value)
    assert values == [None, 3.0]
    assert type(values[1]) is float


def test_record_is_the_append_of_a_list_that_stays() -> None:
    histogram, drops = Histogram((), 0), Drops()
    record = histogram.record
    assert getattr(record, "__self__", None) == []
    record(0.5)
    histogram.fold(drops)
    record(0.5)
    histogram.fold(drops)
    assert histogram.value.count == 2
    histogram.reset(9)
    record(0.5)
    histogram.fold(drops)
    assert (histogram.value.count, histogram.start_ns) == (1, 9)


def test_a_buffer_that_outgrows_its_bound_is_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "MOST_BUFFERED", 10)
    histogram, drops = Histogram((), 0), Drops()
    for _ in range(25):
        histogram.record(1.0)
    histogram.fold(drops)
    assert histogram.value.count == 10
    assert drops.counts["buffer_full"] == 15


def test_threads_lose_nothing_while_it_is_folded() -> None:
    histogram, counter, gauge, drops = Histogram((), 0), Counter((), 0), Gauge((), 0), Drops()
    threads, each = 6, 20_000
    done = threading.Event()

    def work() -> None:
        record, add = histogram.record, counter.add
        for number in range(each):
            record(1.0)
            add(1)
            if not number % 100:
                gauge.add(1)

    def fold() -> None:
        while not done.is_set():
            histogram.fold(drops)
            counter.fold(drops)

    folder = threading.Thread(target=fold)
    folder.start()
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(work) for _ in range(threads)]:
            future.result()
    done.set()
    folder.join()
    histogram.fold(drops)
    counter.fold(drops)
    assert histogram.value.count == counter.value == threads * each
    assert gauge.value == threads * each / 100
    assert not +drops.counts


def test_what_is_appended_while_the_buffer_is_drained_stays() -> None:
    class Racing(list[float]):
        """Another thread's append falls between the two steps of a drain."""

        def __getitem__(self, place: Any) -> Any:
            taken = super().__getitem__(place)
            self.append(9.0)
            return taken

    buffer = Buffer()
    buffer.values = Racing([1.0, 2.0])
    assert buffer.drain() == ([1.0, 2.0], 0)
    assert list(buffer.values) == [9.0]
