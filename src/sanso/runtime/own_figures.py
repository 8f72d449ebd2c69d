"""What the monitor knows of itself: ticks it missed, what its store holds and had to refuse, alerts it gave up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sanso.model.frame import Family, Row
from sanso.sources.readings import RowBuilder, named
from sanso.store.limits import StoreStats

_EVERY_MS = 15_000
"""Between two looks at the store: counting blocks asks SQLite."""
FAMILIES = (
    Family("sanso_ticks_missed_total", "counter", "Ticks skipped because an earlier one was not done."),
    Family("sanso_notifications_dropped_total", "counter", "Notifications given up because too many waited."),
    Family("sanso_store_series", "gauge", "Series that the store knows."),
    Family("sanso_store_samples", "gauge", "Cells that the store holds."),
    Family("sanso_store_bytes", "gauge", "The store's file.", "bytes"),
    Family("sanso_store_samples_refused_total", "counter", "Samples refused because newer ones were there."),
    Family("sanso_store_rows_lost_total", "counter", "Rows lost because the disk took nothing for too long."),
    Family(
        "sanso_store_waits_total", "counter", "Times that a writer waited, for rows came faster than can be sealed."
    ),
)


@dataclass(frozen=True)
class Counts:
    """Where the figures come from, asked each tick.

    Attributes:
        missed: Ticks missed so far.
        dropped: Notifications dropped so far.
        stats: The store's figures.
    """

    missed: Callable[[], int]
    dropped: Callable[[], int]
    stats: Callable[[], StoreStats]


class OwnFigures:
    """One row a tick; the store's figures are up to 15 seconds old."""

    name = "sanso"
    families = FAMILIES

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._stats: StoreStats | None = None
        self._asked_ms = 0
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:
        """Counts since the start."""
        if self._stats is None or not 0 <= now_ms - self._asked_ms < _EVERY_MS:
            self._stats, self._asked_ms = self._counts.stats(), now_ms
        held = self._stats
        values = [self._counts.missed(), self._counts.dropped()]
        values += [held.series, held.samples, held.bytes, held.refused, held.lost, held.held_up]
        names = tuple(family.name for family in FAMILIES)
        return self._builder.row(names, named(names), [float(value) for value in values])
