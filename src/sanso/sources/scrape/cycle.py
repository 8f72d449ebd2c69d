"""One target's life: a scrape on each of its marks, and how the last one went."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Literal

from sanso.model.clock import Clock
from sanso.model.errors import DecodeError, LineError, SourceError
from sanso.model.frame import Family
from sanso.sources.scrape.connection import BodyTooLargeError, HttpAnswer
from sanso.sources.scrape.fetch import Fetcher
from sanso.sources.scrape.formats import JobPages, PageParser
from sanso.sources.scrape.labelling import LimitError
from sanso.sources.scrape.record import Recorder, Report
from sanso.sources.scrape.target import Target

_log = logging.getLogger(__name__)
_MOST_SHIFT_MS = 20
_MOST_READINGS = 4
Health = Literal["unknown", "up", "down"]


@dataclass(frozen=True)
class TargetReading:
    """How a target does.

    Attributes:
        target: Which.
        health: Of the last scrape.
        error: Why it is down; empty where it is not.
        last_scrape_ms: When it was last scraped; None where it never was.
        duration_s: What that took.
        samples: What it gave.
        families: What its last page said of its metrics.
    """

    target: Target
    health: Health = "unknown"
    error: str = ""
    last_scrape_ms: int | None = None
    duration_s: float = 0.0
    samples: int = 0
    families: tuple[Family, ...] = ()


class Cycle:
    """Scrapes one target until it is cancelled.

    Args:
        target: Which.
        pages: How they are asked for and read.
        fetcher: Its connection; closed by whoever ends the cycle.
        recorder: Where pages go.
        clock: What the time is.

    Attributes:
        reading: How it does.
        refusal: Why it must not be scraped (too many targets); empty where it may.
    """

    def __init__(self, target: Target, pages: JobPages, fetcher: Fetcher, recorder: Recorder, clock: Clock) -> None:
        self.reading = TargetReading(target)
        self.refusal = ""
        self._target = target
        self._fetcher = fetcher
        self._recorder = recorder
        self._clock = clock
        self._parser = PageParser(pages, target.histograms)
        self._pages = pages
        self._wish = pages.wish(target.timeout_ms)

    async def run(self) -> None:
        """Scrape on every mark: the interval's multiples, shifted by what the target's name hashes to."""
        interval = self._target.interval_ms
        shift = int(self._target.key, 16) % interval
        mark = self._next(shift)
        while True:
            delay = mark - self._clock.now_ms()
            if delay > interval:  # the clock was set back: begin anew on its marks
                mark = self._next(shift)
                continue
            if delay > 0:
                await asyncio.sleep(delay / 1000)
                continue
            await self._guarded_scrape(self._stamp(mark))
            mark = max(mark + interval, self._next(shift))

    async def scrape(self, time_ms: int) -> None:
        """One scrape, stamped with this time. What goes wrong with the target is written down, not raised."""
        start = self._clock.monotonic()
        try:
            if self.refusal:
                raise SourceError(self.refusal)
            answer = await self._fetcher.fetch(self._target.url, self._wish)
            try:
                self._take(answer, time_ms, start)
            except LineError as error:
                raise self._stopped(answer, error) from error
        except (SourceError, DecodeError) as error:
            took = self._clock.monotonic() - start
            report = Report(
                up=False,
                duration_s=took,
                scraped=error.samples if isinstance(error, LimitError) else 0,
                kept=error.kept if isinstance(error, LimitError) else 0,
                body_bytes=-1 if isinstance(error, BodyTooLargeError) else 0,
            )
            self._recorder.write_failure(time_ms, report)
            if self.reading.health != "down":
                _log.debug("%s: %s", self._target.url, error)
            self._note("down", time_ms, took, error=str(error))

    def end(self, time_ms: int) -> None:
        """The target has gone."""
        self._recorder.end(time_ms)

    def _take(self, answer: HttpAnswer, time_ms: int, start: float) -> None:
        page = self._parser.parse(answer.body, answer.headers.get("content-type", ""))
        placing = self._recorder.take(page, answer.body)
        took = self._clock.monotonic() - start
        report = Report(
            up=True,
            duration_s=took,
            scraped=page.samples,
            kept=self._recorder.kept(page, placing),
            added=placing.added,
            body_bytes=len(answer.body),
        )
        self._recorder.write(time_ms, page, placing, report)
        self._note("up", time_ms, took, samples=page.samples)

    def _stopped(self, answer: HttpAnswer, error: LineError) -> LimitError:
        """How far a page was read that breaks off at a line, with what is wrong there."""
        wrong = error
        for _ in range(_MOST_READINGS):  # what is found first in a page need not be what comes first in it
            good = b"".join(line + b"\n" for line in answer.body.split(b"\n")[: wrong.line - 1])
            try:
                page = self._pages.before(good, answer.headers.get("content-type", ""), self._target.histograms)
                return LimitError(str(wrong), page.samples, self._recorder.would_keep(page, good))
            except LimitError as limit:
                return LimitError(str(wrong), limit.samples, limit.kept)
            except LineError as earlier:
                wrong = earlier
            except (SourceError, DecodeError):
                break
        return LimitError(str(wrong), 0, 0)

    async def _guarded_scrape(self, time_ms: int) -> None:
        try:
            await self.scrape(time_ms)
        except Exception as error:  # noqa: BLE001 - the edge: a target costs its own scrape, nothing else
            _log.exception("scraping %s broke; the next scrape comes", self._target.url)
            self._note("down", time_ms, 0.0, error=f"{type(error).__name__}: {error}")

    def _note(self, health: Health, time_ms: int, took: float, *, error: str = "", samples: int = 0) -> None:
        families = self._recorder.families
        self.reading = TargetReading(self._target, health, error, time_ms, took, samples, families)

    def _next(self, shift: int) -> int:
        """The first mark after now."""
        now, interval = self._clock.now_ms(), self._target.interval_ms
        return (now - shift) // interval * interval + interval + shift

    def _stamp(self, mark: int) -> int:
        """The mark where the scrape is on time: equal distances cost less to keep, and are what is meant."""
        now = self._clock.now_ms()
        return mark if now - mark <= min(_MOST_SHIFT_MS, self._target.interval_ms // 100) else now
