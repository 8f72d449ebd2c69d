"""Samples as they were when first read: several evaluations of one question see the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sanso.model.frame import Family, Frame, Part
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher
from sanso.model.series import SeriesReader


class SteadyReader:
    """Reads once what is asked for again. For one question: what it has read it holds.

    Args:
        reader: Where samples come from; it may grow meanwhile.
    """

    def __init__(self, reader: SeriesReader) -> None:
        self._reader = reader
        self._found: dict[tuple[tuple[Matcher, ...], int, int, Part, int], list[Frame]] = {}

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, part: Part = "last", step_ms: int = 0
    ) -> list[Frame]:
        """As `SeriesReader.select`; the list is the caller's own."""
        asked = (tuple(matchers), start_ms, end_ms, part, step_ms)
        if asked not in self._found:
            self._found[asked] = self._reader.select(matchers, start_ms, end_ms, part=part, step_ms=step_ms)
        return [*self._found[asked]]

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """As `SeriesReader.series`."""
        return self._reader.series(matchers, start_ms, end_ms)

    def families(self) -> Mapping[str, Family]:
        """As `SeriesReader.families`."""
        return self._reader.families()
