"""A reader of frames that a test holds in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sanso.model.frame import Family, Frame, Part, is_absent
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher


class MemoryReader:
    """`SeriesReader` over given frames."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = frames

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, part: Part = "last", step_ms: int = 0
    ) -> list[Frame]:
        found = []
        for frame in self._frames:
            first, last = np.searchsorted(frame.timeline, [start_ms, end_ms + 1])
            rows = [
                row
                for row, labels in enumerate(frame.labels)
                if all(matcher.accepts(labels) for matcher in matchers)
                and not is_absent(np.ascontiguousarray(frame.values[row, first:last])).all()
            ]
            if rows:
                values = np.ascontiguousarray(frame.values[rows][:, first:last])
                found.append(Frame([frame.labels[row] for row in rows], frame.timeline[first:last], values))
        return found

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        return [labels for frame in self.select(matchers, start_ms, end_ms) for labels in frame.labels]

    def families(self) -> Mapping[str, Family]:
        return {}
