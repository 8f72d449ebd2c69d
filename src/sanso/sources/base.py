"""What a source is: it reads, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sanso.model.frame import Family, Row


class Source(Protocol):
    """Gives one row a tick. Rates, thresholds, history and colour are somebody else's.

    Attributes:
        name: Short and stable (`host_cpu`): the label `source` of `sanso_source_up`.
        families: What it may yield.
    """

    @property
    def name(self) -> str:
        """Short and stable."""
        ...

    @property
    def families(self) -> Sequence[Family]:
        """What it may yield."""
        ...

    def read(self, now_ms: int) -> Row | None:
        """One row as of now, or None where there is nothing to measure on this machine (no GPU, no PSI).

        The same `Columns` object as long as the series are the same. Must return within a fraction of the interval.

        Raises:
            SourceError: This tick cannot be read; the next will be tried.
        """
        ...
