"""Exemplars kept in memory, the newest of all series together, as Prometheus keeps them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from sanso.model.exemplars import MOST_CHARACTERS, Exemplar
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher

_MOST = 100_000


class Exemplars:
    """A ring of exemplars; several threads may use it.

    Args:
        most: How many are kept; the first that came goes first.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._order: deque[Labels] = deque()
        self._held: dict[Labels, deque[Exemplar]] = {}
        self._lock = threading.Lock()

    def add_exemplar(self, series: Labels, exemplar: Exemplar) -> str:
        """As `ExemplarWriter.add_exemplar`."""
        if sum(len(name) + len(value) for name, value in exemplar.labels) > MOST_CHARACTERS:
            return f"its labels are longer than {MOST_CHARACTERS} characters"
        with self._lock:
            held = self._held.get(series)
            if held:
                newest = held[-1]
                if exemplar == newest:
                    return ""
                if exemplar.time_ms < newest.time_ms:
                    return "" if exemplar in held else "older than the series' newest exemplar"
            if len(self._order) >= self._most:
                self._drop_oldest()
            self._held.setdefault(series, deque()).append(exemplar)
            self._order.append(series)
        return ""

    def exemplars(
        self, selectors: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        """As `ExemplarReader.exemplars`."""
        with self._lock:
            held = [(series, list(kept)) for series, kept in self._held.items()]
        found = []
        for series, kept in held:
            if any(all(matcher.accepts(series) for matcher in matchers) for matchers in selectors):
                inside = [each for each in kept if start_ms <= each.time_ms <= end_ms]
                if inside:
                    found.append((series, inside))
        return sorted(found, key=lambda pair: pair[0])

    def _drop_oldest(self) -> None:
        series = self._order.popleft()
        kept = self._held[series]
        kept.popleft()
        if not kept:
            del self._held[series]
