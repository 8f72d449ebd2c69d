"""Connections that only read: lent to one thread at a time, kept for the next."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sanso.store.schema import connect

_MOST_KEPT = 8


class Readers:
    """A pool; as many connections as there are readers at once, of which a few are kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction: what it sees does not change, whatever is pruned meanwhile."""
        with self.idle() as connection:
            connection.execute("begin")
            yield connection
            connection.execute("commit")

    @contextmanager
    def idle(self) -> Iterator[sqlite3.Connection]:
        """A connection outside any transaction."""
        with self._lock:
            connection = self._idle.pop() if self._idle else connect(self._path)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if not self._closed and len(self._idle) < _MOST_KEPT:
                self._idle.append(connection)
                return
        connection.close()

    def ask(self, question: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """The rows of one answer, as things are at this moment."""
        with self.reading() as connection:
            return connection.execute(question, values).fetchall()

    def ask_one(self, question: str, values: tuple[Any, ...] = ()) -> Any:
        """The first row of an answer; None where there is none."""
        return next(iter(self.ask(question, values)), None)

    def close(self) -> None:
        """Close what is idle; what is lent is closed when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
