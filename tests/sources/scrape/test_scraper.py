"""The scraper as a whole: its thread, its pools, real pages over HTTP."""

from __future__ import annotations

import dataclasses
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sanso.model.clock import SystemClock
from sanso.model.frame import is_absent, is_stale
from sanso.model.labels import render
from sanso.model.matchers import Matcher
from sanso.sources.scrape.scraper import Scraper
from sanso.sources.scrape.settings import (
    FileDiscovery,
    HttpDiscovery,
    ScrapeJob,
    ScrapeLimits,
    ScrapePlan,
    TargetGroup,
)
from sanso.store.exemplars import Exemplars
from sanso.store.store import Store
from tests.sources.scrape.served import served

FAST = ScrapeJob("j", interval_ms=100, timeout_ms=100)


@pytest.fixture
def store() -> Store:
    return Store.in_memory(retention_ms=10**9)


@contextmanager
def scraping(store: Store, *jobs: ScrapeJob) -> Iterator[Scraper]:
    scraper = Scraper(store, Exemplars(), SystemClock())
    scraper.apply(ScrapePlan(jobs))
    try:
        yield scraper
    finally:
        scraper.stop()


def static(job: ScrapeJob, *addresses: str, **labels: str) -> ScrapeJob:
    targets = tuple((("__address__", address),) for address in addresses)
    return dataclasses.replace(job, static=(TargetGroup("s", targets, tuple(sorted(labels.items()))),))


def ends(store: Store, name: str) -> dict[str, bool]:
    """Whether each series of a name has ended."""
    found = {}
    for frame in store.select((Matcher("__name__", "=", name),), 0, 1 << 60):
        for labels, values in zip(frame.labels, frame.values, strict=True):
            there = values[~is_absent(values)]
            if len(there):
                found[render(labels)] = bool(is_stale(there[-1:])[0])
    return found


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def healths(scraper: Scraper) -> dict[str, str]:
    return {
        f"{job.name} {reading.target.instance}": reading.health for job in scraper.readings() for reading in job.active
    }


def test_targets_are_scraped_again_and_again_and_series_do_not_end_with_the_process(store: Store) -> None:
    with served() as pages:
        with scraping(store, static(FAST, pages.address, zone="x")) as scraper:
            series = f'a{{instance="{pages.address}", job="j", zone="x"}}'
            wait_until(lambda: healths(scraper) == {f"j {pages.address}": "up"})
            wait_until(lambda: store.select((Matcher("__name__", "=", "a"),), 0, 1 << 60)[0].values.shape[1] > 5)
            assert scraper.sources()[0].up
        assert ends(store, "a") == {series: False}


def test_a_plan_changes_what_is_other_in_it_and_no_more(store: Store) -> None:
    with served() as pages, scraping(store, static(FAST, pages.address)) as scraper:
        name = f"j {pages.address}"
        wait_until(lambda: healths(scraper) == {name: "up"})
        cycle = next(iter(scraper._pools["j"]._running.values())).cycle
        kept = static(FAST, pages.address)
        other = dataclasses.replace(kept, name="k")
        scraper.apply(ScrapePlan((kept, other)))
        wait_until(lambda: healths(scraper) == {name: "up", f"k {pages.address}": "up"})
        assert next(iter(scraper._pools["j"]._running.values())).cycle is cycle
        scraper.apply(ScrapePlan((dataclasses.replace(kept, honor_labels=True),)))
        assert next(iter(scraper._pools["j"]._running.values())).cycle is not cycle
        wait_until(lambda: healths(scraper) == {name: "up"})
        found = ends(store, "up")
        assert found[f'up{{instance="{pages.address}", job="k"}}']
        assert not found[f'up{{instance="{pages.address}", job="j"}}']


def test_one_that_hangs_or_is_not_there_costs_only_itself(store: Store) -> None:
    with served() as pages, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        silent = f"127.0.0.1:{deaf.getsockname()[1]}"
        with scraping(store, static(FAST, pages.address, silent, "127.0.0.1:1")) as scraper:
            expected = {f"j {pages.address}": "up", f"j {silent}": "down", "j 127.0.0.1:1": "down"}
            wait_until(lambda: healths(scraper) == expected)
            (summary,) = scraper.sources()
            assert not summary.up
            assert summary.error.startswith("2 of 3 targets are down; ")
            assert all(not ended for ended in ends(store, "up").values())


def test_files_are_followed_live(store: Store, tmp_path: Path) -> None:
    with served() as pages:
        path = tmp_path / "t.json"
        path.write_text(json.dumps([{"targets": [pages.address], "labels": {"v": "1"}}]))
        job = dataclasses.replace(FAST, files=(FileDiscovery((str(path),)),))
        with scraping(store, job) as scraper:
            wait_until(lambda: healths(scraper) == {f"j {pages.address}": "up"})
            path.write_text(json.dumps([{"targets": [pages.address], "labels": {"version": "2"}}]))
            series = f'a{{instance="{pages.address}", job="j", '
            wait_until(lambda: ends(store, "a") == {f'{series}v="1"}}': True, f'{series}version="2"}}': False})


def test_a_server_is_followed_and_its_silence_changes_nothing(store: Store) -> None:
    with served() as pages:
        pages.texts["/sd"] = json.dumps([{"targets": [pages.address]}])
        job = dataclasses.replace(FAST, urls=(HttpDiscovery(f"http://{pages.address}/sd", 100),))
        with scraping(store, job) as scraper:
            wait_until(lambda: healths(scraper) == {f"j {pages.address}": "up"})
            del pages.texts["/sd"]
            time.sleep(0.3)
            assert len(healths(scraper)) == 1
            # A changed job goes on with the targets that the server gave last.
            scraper.apply(ScrapePlan((dataclasses.replace(job, honor_labels=True),)))
            assert len(healths(scraper)) == 1
            pages.texts["/sd"] = "[]"
            wait_until(lambda: healths(scraper) == {})
            assert all(ends(store, "a").values())


def test_too_many_targets_are_none(store: Store) -> None:
    job = dataclasses.replace(FAST, limits=ScrapeLimits(targets=1))
    with served() as pages, scraping(store, static(job, pages.address, "127.0.0.1:1")) as scraper:
        wait_until(lambda: set(healths(scraper).values()) == {"down"})
        errors = {reading.error for job in scraper.readings() for reading in job.active}
        assert errors == {"target_limit exceeded (number of targets: 2, limit: 1)"}


def test_nothing_to_scrape_needs_no_thread(store: Store) -> None:
    with scraping(store) as scraper:
        assert scraper._thread is None
        assert scraper.readings() == []
