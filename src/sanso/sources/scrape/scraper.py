"""All scrape jobs, on one asyncio loop on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from sanso.model.clock import Clock
from sanso.model.exemplars import ExemplarWriter
from sanso.model.labels import Labels
from sanso.model.readings import SourceReading
from sanso.model.series import RowWriter
from sanso.sources.scrape.cycle import TargetReading
from sanso.sources.scrape.labelling import LabelPairs
from sanso.sources.scrape.pool import Pool
from sanso.sources.scrape.record import REPORT_FAMILIES, Losses, Shared
from sanso.sources.scrape.settings import ScrapePlan

_log = logging.getLogger(__name__)
_GRACE_S = 5.0


@dataclass(frozen=True)
class JobReading:
    """How one job does.

    Attributes:
        name: Of the job, as it is told from others.
        active: Its targets.
        dropped: Discovered labels of those that relabelling drops, as far as they are remembered.
        dropped_count: How many those are.
    """

    name: str
    active: list[TargetReading]
    dropped: list[Labels]
    dropped_count: int


class Scraper:
    """Scrapes until stopped; a new plan changes what is different in it and lets the rest go on.

    Args:
        writer: Where rows go; whoever ticks commits.
        exemplars: Where exemplars go.
        clock: What the time is.

    Attributes:
        losses: Samples that were not taken.
    """

    def __init__(self, writer: RowWriter, exemplars: ExemplarWriter, clock: Clock) -> None:
        self.losses = Losses()
        self._writer = writer
        self._shared = Shared(writer, exemplars, clock, LabelPairs(), self.losses)
        self._pools: dict[str, Pool] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def apply(self, plan: ScrapePlan) -> None:
        """Do what the plan says from now on; returns when targets are known."""
        if self._loop is None:
            if not plan.jobs:
                return
            self._writer.describe(REPORT_FAMILIES)
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="sanso-scrape", daemon=True)
            self._thread.start()
        self._wait(self._apply(plan))

    def stop(self) -> None:
        """End; series do not end with the process."""
        if self._loop is None or self._thread is None:
            return
        self._wait(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=_GRACE_S)
        if not self._thread.is_alive():
            self._loop.close()
        self._loop = self._thread = None

    def readings(self) -> list[JobReading]:
        """How each job does; any thread may ask."""
        return [
            JobReading(pool.job.key, pool.readings(), list(pool.dropped), pool.dropped_count)
            for pool in list(self._pools.values())
        ]

    def sources(self) -> list[SourceReading]:
        """One reading a job, as the sources of this machine have theirs."""
        return [_summary(reading) for reading in self.readings()]

    async def _apply(self, plan: ScrapePlan) -> None:
        wanted = {job.key: job for job in plan.jobs}
        for name in [name for name in self._pools if name not in wanted]:
            await self._pools.pop(name).stop(ended=True)
        for name, job in wanted.items():
            before = self._pools.get(name)
            if before is not None and before.job == job:
                continue
            pool = Pool(job, self._shared)
            pool.start(before)
            self._pools[name] = pool
            if before is not None:
                await before.stop(going_on=pool.keys(), ended=True)

    async def _stop(self) -> None:
        for pool in self._pools.values():
            await pool.stop()
        self._pools = {}
        loop = asyncio.get_running_loop()
        await loop.shutdown_default_executor()

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        try:
            asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=_GRACE_S * 4)
        except TimeoutError:
            _log.warning("the scraper is slow to follow; it goes on in the background")


def _summary(job: JobReading) -> SourceReading:
    down = [reading for reading in job.active if reading.health == "down"]
    error = f"{len(down)} of {len(job.active)} targets are down; {_first(down)}" if down else ""
    return SourceReading(
        name=f"scrape:{job.name}",
        up=not down,
        duration_seconds=max((reading.duration_s for reading in job.active), default=0.0),
        samples=sum(reading.samples for reading in job.active),
        error=error,
    )


def _first(down: list[TargetReading]) -> str:
    return f"{down[0].target.instance}: {down[0].error}" if down else ""
