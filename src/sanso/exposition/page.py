"""What a page is made of when it is written, what reading one gives, and how much of it is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sanso.model.frame import Family, Row, Times
from sanso.model.labels import Labels
from sanso.model.native_histogram import FINEST_SCHEMA, NativeHistogram

NO_TIME = -(2**63)
"""Stands in `Page.times` for a sample without a time of its own."""

Sample: TypeAlias = tuple[Labels, float, int | None]
"""Labels, value, and time in ms (None: no time), of a page to be written."""
HistogramSample: TypeAlias = tuple[Labels, NativeHistogram, int | None]
"""Likewise a native histogram."""


@dataclass(frozen=True)
class Limits:
    """How much of a page is accepted; beyond it the page is refused with a `DecodeError`.

    Attributes:
        body_bytes: Of the whole page.
        samples: Sample lines.
        labels: Labels a series, its name among them.
        label_name_bytes: Of a label's name.
        label_value_bytes: Of a label's value, and of the metric name.
    """

    body_bytes: int = 64 << 20
    samples: int = 500_000
    labels: int = 128
    label_name_bytes: int = 512
    label_value_bytes: int = 16_384


@dataclass(frozen=True)
class HistogramWish:
    """What is wanted of histograms.

    Attributes:
        native: Those that are told as native ones as such; else their classic buckets.
        classic: Of native ones the classic buckets too, where they have some.
        custom: Those that are told as classic ones only as native ones of custom bounds.
        most_buckets: Of a native one; of more, neighbours are put together. 0 for no limit.
        finest_schema: Finer ones are made coarser.
    """

    native: bool = True
    classic: bool = False
    custom: bool = False
    most_buckets: int = 0
    finest_schema: int = FINEST_SCHEMA


@dataclass(frozen=True)
class Exemplar:
    """One measurement behind a sample.

    Attributes:
        series: Labels of the sample it belongs to.
        labels: Its own (`trace_id` …).
        value: Of the measurement.
        time_ms: Of the measurement; None where it has none.
    """

    series: Labels
    labels: Labels
    value: float
    time_ms: int | None


@dataclass(frozen=True, eq=False)
class Page:
    """One page, read.

    Attributes:
        row: Every series' value; the same `Columns` object from page to page as long as the set of series is the same.
        families: What the page says of its metrics; names as series carry them.
        times: Milliseconds a column, NO_TIME where a sample has none; None where no sample has one.
        exemplars: Of this page; those of a native histogram under its series.
        duplicates: Samples left out because their series stood in the page before.
        histograms: How many native histograms there are.
        parts: How many columns, the last ones, are parts of native histograms (`model.native_histogram`).
        missing: How many histograms have parts there but no sample on this page.
        emptied: Labels that were given without a value, by series; None where the text itself has to be asked.
        twice: The series of `duplicates`, on a page of text.
    """

    row: Row
    families: tuple[Family, ...]
    times: Times | None = None
    exemplars: tuple[Exemplar, ...] = ()
    duplicates: int = 0
    histograms: int = 0
    parts: int = 0
    missing: int = 0
    emptied: Mapping[Labels, frozenset[str]] | None = None
    twice: tuple[Labels, ...] = ()

    @property
    def samples(self) -> int:
        """How many samples were told; a native histogram is one."""
        return len(self.row.values) - self.parts + self.histograms + self.duplicates
