"""Answers from this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sanso.model.clock import Clock
from sanso.model.frame import is_absent
from sanso.model.readings import Overview
from sanso.model.series import EDGES, Answer, Ends, HeldEngine


class LocalClient:
    """The client of a front end that runs in the monitor's own process.

    Args:
        engine: Answers PromQL.
        clock: What "now" is.
        overview: Reads everything at one time (ms).
        expressions: PromQL by vital name.
        where: How the front end calls this place.
    """

    def __init__(
        self,
        engine: HeldEngine,
        clock: Clock,
        overview: Callable[[int], Overview],
        expressions: Mapping[str, str],
        where: str = "this process",
    ) -> None:
        self.where = where
        self._engine = engine
        self._clock = clock
        self._overview = overview
        self._expressions = expressions

    def overview(self) -> Overview:
        """Everything the first screen draws, of one moment."""
        return self._overview(self._clock.now_ms())

    def histories(self, names: Sequence[str], seconds: float, points: int) -> dict[str, list[float]]:
        """The last `seconds` of plain vitals, `points` values each, oldest first, NaN for gaps; unknown names lack."""
        end = self._clock.now_ms()
        step = max(round(seconds * 1000 / points), 1)
        start = end - step * (points - 1)
        known = [name for name in names if name in self._expressions]
        return {name: _first(self._engine.range(self._expressions[name], start, end, step), points) for name in known}

    def query(self, expr: str, at_ms: int | None = None) -> Answer:
        """PromQL at one time, by default now."""
        return self._engine.instant(expr, self._clock.now_ms() if at_ms is None else at_ms)

    def query_range(self, expr: str, start_ms: int, end_ms: int, step_ms: int) -> Answer:
        """PromQL at every step."""
        return self._engine.range(expr, start_ms, end_ms, step_ms)

    def ends(self, expr: str, at_ms: int) -> Ends:
        """PromQL at one time, with the ends of quantiles' buckets."""
        engine = self._engine.steady()
        inside, lower, upper = (engine.instant(expr, at_ms, edge=edge) for edge in EDGES)
        return Ends(inside, lower, upper)

    def ends_range(self, expr: str, start_ms: int, end_ms: int, step_ms: int) -> Ends:
        """PromQL at every step, likewise."""
        engine = self._engine.steady()
        inside, lower, upper = (engine.range(expr, start_ms, end_ms, step_ms, edge=edge) for edge in EDGES)
        return Ends(inside, lower, upper)

    def close(self) -> None:
        """Nothing to let go of: the monitor belongs to whoever made it."""


def _first(answer: Answer, points: int) -> list[float]:
    """The first series as a list, absent cells as plain NaN."""
    if not len(answer.values):
        return [float("nan")] * points
    row = np.ascontiguousarray(answer.values[0])
    values: list[float] = np.where(is_absent(row), np.nan, row).tolist()
    return values
