"""What a front end may ask, whoever answers: this process or a running server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sanso.model.readings import Overview
from sanso.model.series import Answer, Ends


class Client(Protocol):
    """Synchronous; front ends with an event loop call it from a thread. Every method may raise `ClientError`.

    Attributes:
        where: Who answers: "this process" or a server's address.
    """

    where: str

    def overview(self) -> Overview:
        """Everything the first screen draws, of one moment."""
        ...

    def histories(self, names: Sequence[str], seconds: float, points: int) -> dict[str, list[float]]:
        """The last `seconds` of plain vitals as `points` values each, oldest first, NaN for gaps."""
        ...

    def query(self, expr: str, at_ms: int | None = None) -> Answer:
        """PromQL at one time, by default now. Raises `QueryError` where the question is wrong."""
        ...

    def query_range(self, expr: str, start_ms: int, end_ms: int, step_ms: int) -> Answer:
        """PromQL at every step. Raises `QueryError` where the question is wrong."""
        ...

    def ends(self, expr: str, at_ms: int) -> Ends:
        """As `query`, with the ends of quantiles' buckets, of one state of the history."""
        ...

    def ends_range(self, expr: str, start_ms: int, end_ms: int, step_ms: int) -> Ends:
        """As `query_range`, likewise."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
