"""One door to the store for all who write: the sampling loop and every pushing application."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from sanso.model.frame import Family, Row
from sanso.model.series import RowWriter


class SharedWriter:
    """A `RowWriter` that several threads may use; whoever commits makes everybody's rows durable."""

    def __init__(self, writer: RowWriter) -> None:
        self._writer = writer
        self._lock = threading.Lock()

    def append(self, frame: str, time_ms: int, row: Row, *, complete: bool = True) -> int:
        """As `RowWriter.append`."""
        with self._lock:
            return self._writer.append(frame, time_ms, row, complete=complete)

    def commit(self) -> None:
        """As `RowWriter.commit`."""
        with self._lock:
            self._writer.commit()

    def describe(self, families: Iterable[Family]) -> None:
        """As `RowWriter.describe`."""
        with self._lock:
            self._writer.describe(families)
