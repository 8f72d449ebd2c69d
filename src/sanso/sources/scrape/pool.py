"""The targets of one job: who is there, who has come and who has gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from sanso.model.errors import SourceError
from sanso.model.labels import Labels
from sanso.sources.scrape.connection import new_buffer
from sanso.sources.scrape.cycle import Cycle, TargetReading
from sanso.sources.scrape.discovery_file import FileWatch
from sanso.sources.scrape.discovery_http import HttpWatch
from sanso.sources.scrape.fetch import Fetcher
from sanso.sources.scrape.formats import JobPages
from sanso.sources.scrape.record import Recorder, Shared
from sanso.sources.scrape.settings import FileDiscovery, HttpDiscovery, ScrapeJob, TargetGroup
from sanso.sources.scrape.target import Target, populate
from sanso.sources.scrape.tls import TlsContexts

_log = logging.getLogger(__name__)
_LOOK_S = 1.0
"""Between two looks at the files' times of change."""


@dataclass
class _Running:
    cycle: Cycle
    fetcher: Fetcher
    task: asyncio.Task[None]


class Pool:
    """Runs a job's cycles and discoveries; lives on the scraper's loop.

    Args:
        job: What to do.
        shared: What it shares with the others.

    Attributes:
        job: As given.
        dropped: Discovered labels of targets that relabelling drops.
        dropped_count: How many those are, remembered or not.
        problems: What is wrong with targets and discoveries.
    """

    def __init__(self, job: ScrapeJob, shared: Shared) -> None:
        self.job = job
        self.dropped: list[Labels] = []
        self.dropped_count = 0
        self.problems: list[str] = []
        self._shared = shared
        self._pages = JobPages(job)
        self._tls = TlsContexts(job.http.tls)
        self._buffer = new_buffer()
        self._running: dict[str, _Running] = {}
        self._groups: dict[FileDiscovery | HttpDiscovery | None, list[TargetGroup]] = {None: list(job.static)}
        self._discoveries: list[asyncio.Task[None]] = []

    def readings(self) -> list[TargetReading]:
        """How each target does; any thread may ask."""
        return [running.cycle.reading for running in list(self._running.values())]

    def start(self, before: Pool | None = None) -> None:
        """Begin; files are read at once, and what servers gave to the pool before is still there."""
        watches = [FileWatch(settings) for settings in self.job.files]
        for settings, watch in zip(self.job.files, watches, strict=True):
            watch.look()
            self._groups[settings] = watch.groups()
        for url in self.job.urls:
            self._groups[url] = before.groups(url) if before is not None else []
        self._sync()
        loop = asyncio.get_running_loop()
        for settings, watch in zip(self.job.files, watches, strict=True):
            self._discoveries.append(loop.create_task(self._watch_files(settings, watch)))
        self._discoveries += [loop.create_task(self._watch_url(settings)) for settings in self.job.urls]

    async def stop(self, *, going_on: frozenset[str] = frozenset(), ended: bool = False) -> None:
        """Stop scraping.

        Args:
            going_on: Keys of targets that another pool takes over.
            ended: The series of all others end here; at the process's end they do not, as in Prometheus.
        """
        for task in self._discoveries:
            task.cancel()
        await _gone(self._discoveries)
        for key in list(self._running):
            await self._end(key, ended=ended and key not in going_on)

    def groups(self, discovery: HttpDiscovery) -> list[TargetGroup]:
        """What a server gave last."""
        return self._groups.get(discovery, [])

    def keys(self) -> frozenset[str]:
        """Keys of the targets that are there."""
        return frozenset(self._running)

    def _sync(self) -> None:
        """Start cycles for new targets, end those of targets that have gone."""
        found = populate(self.job, [group for groups in self._groups.values() for group in groups])
        kept = self.job.limits.dropped_kept or len(found.dropped)
        self.dropped, self.dropped_count = found.dropped[:kept], len(found.dropped)
        for problem in found.problems:
            if problem not in self.problems:
                _log.warning("job %s: %s", self.job.name, problem)
        self.problems = found.problems
        for key in self._running.keys() - found.targets.keys():
            running = self._running.pop(key)
            running.task.cancel()
            running.fetcher.close()
            running.cycle.end(self._shared.clock.now_ms())
        for key, target in found.targets.items():
            if key not in self._running:
                self._running[key] = self._begin(target)
        most = self.job.limits.targets
        over = f"target_limit exceeded (number of targets: {len(found.targets)}, limit: {most})"
        for running in self._running.values():
            running.cycle.refusal = over if most and len(found.targets) > most else ""

    def _begin(self, target: Target) -> _Running:
        fetcher = Fetcher(self.job.http, self._tls, self._buffer)
        shared = self._shared
        recorder = Recorder(target, self.job, shared)
        cycle = Cycle(target, self._pages, fetcher, recorder, shared.clock)
        return _Running(cycle, fetcher, asyncio.get_running_loop().create_task(cycle.run()))

    async def _end(self, key: str, *, ended: bool) -> None:
        running = self._running.pop(key)
        running.task.cancel()
        await _gone([running.task])
        running.fetcher.close()
        if ended:
            running.cycle.end(self._shared.clock.now_ms())

    async def _watch_files(self, settings: FileDiscovery, watch: FileWatch) -> None:
        looked = 0.0
        while True:
            await asyncio.sleep(_LOOK_S)
            looked += _LOOK_S
            everything = looked * 1000 >= settings.refresh_ms
            looked = 0.0 if everything else looked
            if watch.look(everything=everything):
                groups = watch.groups()
                if groups != self._groups[settings]:
                    self._groups[settings] = groups
                    self._sync()

    async def _watch_url(self, settings: HttpDiscovery) -> None:
        watch, problem = HttpWatch(settings), ""
        try:
            while True:
                try:
                    groups = await watch.groups()
                    problem = ""
                    if groups != self._groups[settings]:
                        self._groups[settings] = groups
                        self._sync()
                except SourceError as error:
                    if str(error) != problem:
                        _log.warning("job %s: %s; the targets stay as they are", self.job.name, error)
                    problem = str(error)
                await asyncio.sleep(settings.refresh_ms / 1000)
        finally:
            watch.close()


async def _gone(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
