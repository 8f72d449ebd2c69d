"""Seams between rooms: who writes rows, who reads frames, who answers PromQL, who keeps small state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np

from sanso.model.control import QueryControl
from sanso.model.frame import Family, Floats, Frame, Part, Row, Times, is_absent
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher
from sanso.model.native_histogram import NativeHistogram


class RowWriter(Protocol):
    """Takes rows; what is committed survives a killed process."""

    def append(self, frame: str, time_ms: int, row: Row, *, complete: bool = True) -> int:
        """Add a row to the frame of that name; seen by readers at once, durable after `commit`.

        Args:
            frame: Where the row belongs: one name a source and target ("host", "otlp:checkout/1").
            time_ms: Its time; a row not newer than the frame's newest is refused (counted, not raised),
                but a row of the same time fills cells that are still absent.
            row: The columns may differ from one row to the next.
            complete: The row is all there is: series of the frame's last row that this one lacks have ended and get
                a stale marker. A push that may be partial says False: its missing series are just absent.

        Returns:
            How many samples were refused.
        """
        ...

    def commit(self) -> None:
        """Make everything appended durable, in one transaction."""
        ...

    def describe(self, families: Iterable[Family]) -> None:
        """Remember types and help texts."""
        ...


class SeriesReader(Protocol):
    """Gives frames to whoever computes."""

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, part: Part = "last", step_ms: int = 0
    ) -> list[Frame]:
        """All series that satisfy every matcher, with their samples in [start_ms, end_ms] (both inclusive).

        No series stands in two frames of one answer; series without a sample in the range may be left out.
        Native histograms come as their columns (`model.native_histogram`).

        Args:
            matchers: What to select.
            start_ms: The first time.
            end_ms: The last time.
            part: What coarse samples stand for, where raw ones are gone; stale markers are never coarse.
            step_ms: The step of the question: of coarse tiers, the coarsest that still serves it is taken.
        """
        ...

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """The label sets only, of series with a sample in the range as far as is cheaply known."""
        ...

    def families(self) -> Mapping[str, Family]:
        """Types and help texts by metric name."""
        ...


class StateKeeper(Protocol):
    """Keeps small named state (alert states) as durably as rows."""

    def load_state(self, key: str) -> bytes | None:
        """What was saved under the key, or None."""
        ...

    def save_state(self, key: str, value: bytes) -> None:
        """Save with the next commit."""
        ...


AnswerKind: TypeAlias = Literal["vector", "matrix", "scalar", "string"]


@dataclass(frozen=True)
class Answer:
    """A PromQL answer.

    Attributes:
        kind: Prometheus's result type.
        labels: One label set a series, length N; for a scalar one empty set.
        times: Milliseconds, shape [S]; S is 1 for a vector or scalar.
        values: Shape [N, S]; ABSENT where the series has no value at that time. A NaN that is not ABSENT is a value.
        text: The value of a string answer.
        warnings: Prometheus's warnings.
        infos: Prometheus's infos.
        histograms: Native histograms by series and step; their cells in `values` are ABSENT.
    """

    kind: AnswerKind
    labels: list[Labels]
    times: Times
    values: Floats
    text: str = ""
    warnings: tuple[str, ...] = field(default=())
    infos: tuple[str, ...] = field(default=())
    histograms: Mapping[tuple[int, int], NativeHistogram] = field(default_factory=dict)

    def first(self) -> float | None:
        """The first series' first value, or None where the answer is empty: for one-number questions."""
        if not self.values.size or is_absent(self.values[:1, :1])[0, 0]:
            return None
        return float(self.values[0, 0])

    def samples(self) -> list[tuple[Labels, float]]:
        """Label set and value of each series at the first time."""
        if not self.values.size:
            return []
        present = ~is_absent(np.ascontiguousarray(self.values[:, 0]))
        return [(self.labels[i], float(self.values[i, 0])) for i in np.flatnonzero(present)]


Edge: TypeAlias = Literal["inside", "lower", "upper"]
"""What a quantile of a histogram answers: a point inside the bucket that holds it, as PromQL does, or that bucket's
lower or upper end. The quantile of the observations themselves lies between the two."""
EDGES: tuple[Edge, Edge, Edge] = ("inside", "lower", "upper")


class Engine(Protocol):
    """Answers PromQL. Errors are `QueryError`."""

    def instant(self, expr: str, at_ms: int, control: QueryControl | None = None, *, edge: Edge = "inside") -> Answer:
        """The expression's value at one time; without a control, the engine's own limits hold."""
        ...

    def range(
        self,
        expr: str,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        control: QueryControl | None = None,
        *,
        edge: Edge = "inside",
    ) -> Answer:
        """The expression's value at every step from start to end (inclusive)."""
        ...


@dataclass(frozen=True)
class Ends:
    """A question's answer, and what it would be with the ends of the buckets that hold its quantiles; of one state.

    Attributes:
        answer: With points inside.
        lower: With the lower ends.
        upper: With the upper ends.
    """

    answer: Answer
    lower: Answer
    upper: Answer


class HeldEngine(Engine, Protocol):
    """An engine over samples that this process holds."""

    def steady(self) -> Engine:
        """The same over samples as they are when first read: for several answers that are of one state."""
        ...
