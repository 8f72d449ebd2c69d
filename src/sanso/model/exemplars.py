"""Exemplars: single observations that stand for a series' samples, usually with the trace they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sanso.model.labels import Labels
from sanso.model.matchers import Matcher

MOST_CHARACTERS = 128
"""Of an exemplar's label names and values together, as OpenMetrics has it."""


@dataclass(frozen=True)
class Exemplar:
    """One observation.

    Attributes:
        labels: Its own, not the series'.
        value: What was observed.
        time_ms: When.
    """

    labels: Labels
    value: float
    time_ms: int


class ExemplarWriter(Protocol):
    """Takes exemplars; they are kept in memory, the newest of them."""

    def add_exemplar(self, series: Labels, exemplar: Exemplar) -> str:
        """Keep it; why it is refused, or nothing (one sent again is taken)."""
        ...


class ExemplarReader(Protocol):
    """Gives exemplars."""

    def exemplars(
        self, selectors: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        """Of every series that one of the selectors accepts, its exemplars in [start_ms, end_ms], oldest first."""
        ...
