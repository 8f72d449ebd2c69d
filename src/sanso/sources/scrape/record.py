"""What a scrape leaves in the store: the page's rows, the report, and the ends of series that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from sanso.exposition.page import Page
from sanso.model.clock import Clock
from sanso.model.exemplars import Exemplar, ExemplarWriter
from sanso.model.frame import ABSENT_BITS, STALE, Columns, Family, Floats, Row, Times
from sanso.model.labels import Labels, labels_of, series_of
from sanso.model.native_histogram import component, part_of, plain
from sanso.model.series import RowWriter
from sanso.sources.scrape.labelling import Labeller, LabelPairs, Placing, cells_of
from sanso.sources.scrape.settings import ScrapeJob
from sanso.sources.scrape.target import Target

REPORT_FAMILIES = (
    Family("up", "gauge", "Whether the target was scraped."),
    Family("scrape_duration_seconds", "gauge", "What the scrape took.", "seconds"),
    Family("scrape_samples_scraped", "gauge", "Samples that the target gave."),
    Family("scrape_samples_post_metric_relabeling", "gauge", "Samples left after metric relabelling."),
    Family("scrape_series_added", "gauge", "Series that this scrape had and the one before had not."),
    Family("scrape_timeout_seconds", "gauge", "The target's timeout.", "seconds"),
    Family("scrape_sample_limit", "gauge", "The most samples of the target; 0 for no limit."),
    Family("scrape_body_size_bytes", "gauge", "The page's size unpacked; -1 where it was too large.", "bytes"),
)
_PLAIN_REPORT = 5
_AHEAD_MS = 600_000
"""How far ahead of the scrape a sample's own time may be, as in Prometheus: one of a later time shuts its series."""


@dataclass(frozen=True)
class Report:
    """What is known of one scrape."""

    up: bool
    duration_s: float
    scraped: int = 0
    kept: int = 0
    added: int = 0
    body_bytes: int = 0


@dataclass
class Losses:
    """Samples that were not taken, since the start, over all targets.

    Attributes:
        duplicates: Their series stood in the page twice, as it came or after relabelling.
        refused: Too late, or other than what is held at their time.
    """

    duplicates: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Shared:
    """What all targets use.

    Attributes:
        writer: Where rows go; whoever ticks commits.
        exemplars: Where exemplars go.
        clock: What the time is.
        pairs: Label pairs, held once.
        losses: Counts of what was not taken.
    """

    writer: RowWriter
    exemplars: ExemplarWriter
    clock: Clock
    pairs: LabelPairs
    losses: Losses


class Recorder:
    """Writes one target's scrapes.

    Args:
        target: Whose.
        job: How.
        shared: Where to.
    """

    def __init__(self, target: Target, job: ScrapeJob, shared: Shared) -> None:
        self._job = job
        self._writer = shared.writer
        self._exemplars = shared.exemplars
        self._losses = shared.losses
        self._frame = f"scrape:{target.job}/{target.instance}/{target.key}"
        names = [family.name for family in REPORT_FAMILIES[: None if job.extra_metrics else _PLAIN_REPORT]]
        report = [labels_of((*target.labels, *series_of(name))) for name in names]
        self._report = Columns(tuple(shared.pairs.labels(dict(labels)) for labels in report))
        self._new_labeller = partial(Labeller, job, target.labels, self._report.labels, shared.pairs)
        self._labeller = self._new_labeller()
        self._timeout_s = target.timeout_ms / 1000
        self._families: tuple[Family, ...] = ()
        self._newest_ms = 0
        self._timed = _TimedRows(self._frame, shared.writer)

    @property
    def families(self) -> tuple[Family, ...]:
        """What the last page said of its metrics."""
        return self._families

    def take(self, page: Page, body: bytes) -> Placing:
        """Where a page's cells go; nothing is written yet.

        Raises:
            LimitError: The page has more than the job allows.
            SourceError: Relabelling leaves a series without a name.
        """
        return self._labeller.place(page, body)

    def kept(self, page: Page, placing: Placing) -> int:
        """How many samples of the page that was placed last are left after relabelling."""
        return self._labeller.kept(page, placing)

    def would_keep(self, page: Page, body: bytes) -> int:
        """How many that would be of a page that is not to be written.

        Raises:
            LimitError: The page has more than the job allows.
            SourceError: Relabelling leaves a series without a name.
        """
        labeller = self._new_labeller()
        return labeller.kept(page, labeller.place(page, body))

    def write(self, time_ms: int, page: Page, placing: Placing, report: Report) -> None:
        """A page and its report."""
        self._newest_ms = max(self._newest_ms, time_ms)
        values = _guarded(page.row.values)
        row = np.concatenate((cells_of(values, placing.cells), self._figures(report)))
        refused = self._writer.append(self._frame, time_ms, Row(placing.columns, row), complete=True)
        self._losses.duplicates += page.duplicates + placing.merged
        if placing.timed and page.times is not None:
            cells = placing.timed_cells
            refused += self._timed.write(placing.timed, page.times[cells], values[cells], time_ms + _AHEAD_MS)
        if self._job.track_timestamps_staleness:
            self._timed.end_all_but(placing.timed, time_ms)
        self._losses.refused += refused
        for exemplar in page.exemplars:
            series = self._labeller.stored(exemplar.series)
            if series is not None:
                found = Exemplar(exemplar.labels, exemplar.value, exemplar.time_ms or time_ms)
                self._exemplars.add_exemplar(series, found)
        if page.families is not self._families:
            self._families = page.families
            self._writer.describe(page.families)

    def write_failure(self, time_ms: int, report: Report) -> None:
        """A scrape that gave nothing: every series of the target ends here, but for the report's."""
        self._newest_ms = max(self._newest_ms, time_ms)
        self._writer.append(self._frame, time_ms, Row(self._report, self._figures(report)), complete=True)
        if self._job.track_timestamps_staleness:
            self._timed.end_all_but((), time_ms)

    def end(self, time_ms: int) -> None:
        """The target has gone: all its series end, in any case after their last samples."""
        time_ms = max(time_ms, self._newest_ms + 1)
        self._writer.append(self._frame, time_ms, Row(Columns(()), np.empty(0)), complete=True)
        if self._job.track_timestamps_staleness:
            self._timed.end_all_but((), time_ms)

    def _figures(self, report: Report) -> Floats:
        figures = [float(report.up), report.duration_s, report.scraped, report.kept, report.added]
        if self._job.extra_metrics:
            figures += [self._timeout_s, self._job.limits.samples, report.body_bytes]
        return np.array(figures, dtype=np.float64)


class _TimedRows:
    """Series with times of their own: those that share a time when they are first seen share a frame."""

    def __init__(self, frame: str, writer: RowWriter) -> None:
        self._frame = frame
        self._writer = writer
        self._frames: dict[Labels, str] = {}
        self._columns: dict[tuple[Labels, ...], Columns] = {}

    def write(self, series: tuple[Labels, ...], times: Times, values: Floats, latest_ms: int) -> int:
        """Write each sample at its time, unless that is later than allowed; how many were refused."""
        self._learn(series, times)
        rows: dict[tuple[int, str], list[int]] = {}
        for cell, (labels, time) in enumerate(zip(series, times.tolist(), strict=True)):
            if time <= latest_ms:
                rows.setdefault((time, self._frames[labels]), []).append(cell)
        refused, columns = int((times > latest_ms).sum()), {}
        for (time, frame), cells in sorted(rows.items()):
            labels_here = tuple([series[cell] for cell in cells])
            named = columns[labels_here] = self._columns.get(labels_here) or Columns(labels_here)
            refused += self._writer.append(frame, time, Row(named, values[cells]), complete=False)
        self._columns = columns
        return refused

    def end_all_but(self, series: tuple[Labels, ...], time_ms: int) -> None:
        """Series that were here and are not any more get a stale marker."""
        gone: dict[str, list[Labels]] = {}
        here = frozenset(series)
        for labels in self._frames.keys() - here:
            frame = self._frames.pop(labels)
            if not part_of(labels) or _home(labels) not in here:  # a histogram that only lacks a bucket goes on
                gone.setdefault(frame, []).append(labels)
        for frame, ended in gone.items():
            row = Row(Columns(tuple(ended)), np.full(len(ended), STALE))
            self._writer.append(frame, time_ms, row, complete=False)

    def _learn(self, series: tuple[Labels, ...], times: Times) -> None:
        if len(self._frames) > 2 * len(series) + 1000:  # series that come and go must not be remembered for ever
            here = frozenset(series)
            self._frames = {labels: frame for labels, frame in self._frames.items() if labels in here}
        by_time: dict[int, str] = {}
        taken = frozenset(self._frames.values())
        number = 0
        for labels, time in zip(series, times.tolist(), strict=True):
            if labels in self._frames:
                continue
            if part_of(labels) and _home(labels) in self._frames:
                self._frames[labels] = self._frames[_home(labels)]
                continue
            if time not in by_time:
                while f"{self._frame}/{number}" in taken:
                    number += 1
                by_time[time] = f"{self._frame}/{number}"
                number += 1
            self._frames[labels] = by_time[time]


def _home(labels: Labels) -> Labels:
    """The part of a histogram that it always has, by another of its parts."""
    return component(plain(labels), "schema")


def _guarded(values: Floats) -> Floats:
    """A NaN of the bits that mean "absent" to us alone is an ordinary one."""
    absent = values.view(np.uint64) == ABSENT_BITS
    return np.where(absent, np.nan, values) if absent.any() else values
