"""A target whose pages are given in a test, scraped into a store in memory; and what the store then holds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from sanso.model.clock import FixedClock
from sanso.model.frame import Columns, Family, Row, is_absent, is_stale
from sanso.model.labels import labels_of, render
from sanso.model.matchers import Matcher
from sanso.sources.scrape.connection import BodyTooLargeError, HttpAnswer, new_buffer
from sanso.sources.scrape.cycle import Cycle
from sanso.sources.scrape.fetch import Fetcher, Wish
from sanso.sources.scrape.formats import JobPages
from sanso.sources.scrape.labelling import LabelPairs
from sanso.sources.scrape.record import Losses, Recorder, Shared
from sanso.sources.scrape.settings import HttpSettings, ScrapeJob, TargetGroup
from sanso.sources.scrape.target import populate
from sanso.sources.scrape.tls import TlsContexts
from sanso.store.exemplars import Exemplars
from sanso.store.store import Store

START = 1_790_000_000_000
EVERYTHING = (Matcher("__name__", "!=", ""),)
Kept = dict[str, list[tuple[float, float | str]]]


class GivenPages(Fetcher):
    """Answers with what the test put there: a page's bytes, or an error to raise."""

    def __init__(self) -> None:
        super().__init__(HttpSettings(), TlsContexts(HttpSettings().tls), new_buffer())
        self.next: bytes | Exception = b""
        self.content_type = "text/plain; version=0.0.4"

    async def fetch(self, url: str, wish: Wish) -> HttpAnswer:
        if isinstance(self.next, Exception):
            raise self.next
        if wish.most_bytes and len(self.next) > wish.most_bytes:
            raise BodyTooLargeError("body size limit exceeded")
        return HttpAnswer(200, "OK", {"content-type": self.content_type}, self.next)


class NotedWriter:
    """Passes rows on to a store, and keeps the `Columns` and the frame of each."""

    def __init__(self, store: Store) -> None:
        self.columns: list[Columns] = []
        self.frames: list[str] = []
        self._store = store

    def append(self, frame: str, time_ms: int, row: Row, *, complete: bool = True) -> int:
        self.columns.append(row.columns)
        self.frames.append(frame)
        return self._store.append(frame, time_ms, row, complete=complete)

    def commit(self) -> None:
        self._store.commit()

    def describe(self, families: Iterable[Family]) -> None:
        self._store.describe(families)


class Scraped:
    """One target at `h:1` of job `j`."""

    def __init__(self, labels: dict[str, str] | None = None, **job: Any) -> None:
        self.clock = FixedClock(START)
        self.store = Store.in_memory(retention_ms=10**9)
        self.writer = NotedWriter(self.store)
        self.pages = GivenPages()
        self.losses = Losses()
        self.exemplars = Exemplars()
        settings = dataclasses.replace(ScrapeJob("j"), **job)
        group = TargetGroup("test", ((("__address__", "h:1"),),), labels_of(labels or {}))
        (target,) = populate(settings, [group]).targets.values()
        shared = Shared(self.writer, self.exemplars, self.clock, LabelPairs(), self.losses)
        self.cycle = Cycle(target, JobPages(settings), self.pages, Recorder(target, settings, shared), self.clock)

    async def scrape(self, page: str | bytes | Exception, content_type: str = "") -> None:
        """One scrape; ten seconds pass after it."""
        self.pages.content_type = content_type or self.pages.content_type
        self.pages.next = page.encode() if isinstance(page, str) else page
        await self.cycle.scrape(self.clock.now_ms())
        self.clock.advance(10)

    def kept(self, *, report: bool = False) -> Kept:
        """Series as text, with (seconds since the start, value) of each sample; stale markers as `stale`."""
        found: Kept = {}
        for frame in self.store.select(EVERYTHING, 0, 1 << 60):
            for labels, values in zip(frame.labels, frame.values, strict=True):
                name = dict(labels)["__name__"]
                if (name == "up" or name.startswith("scrape_")) != report:
                    continue
                absent, stale = is_absent(values), is_stale(values)
                found[render(labels)] = [
                    ((time - START) / 1000, "stale" if stale[n] else "nan" if math.isnan(values[n]) else values[n])
                    for n, time in enumerate(frame.timeline.tolist())
                    if not absent[n]
                ]
        return found

    def figure(self, name: str) -> list[float | str]:
        """All values of one series of the report."""
        (series,) = [samples for text, samples in self.kept(report=True).items() if text.startswith(f"{name}{{")]
        return [value for _, value in series]
