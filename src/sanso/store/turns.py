"""Short turns at the writer's connection, for whoever works beside the writer: something large goes in in steps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sanso.store.blocks import Block
from sanso.store.disk import Disk
from sanso.store.log import FOREVER_MS, Trimming, rows_of
from sanso.store.pace import Pace
from sanso.store.waiting import Statement

_TURN_BYTES = 1 << 20
"""What is written in one turn: one or two milliseconds."""
_TURN_PAGES = 64


@dataclass(frozen=True)
class LogCut:
    """Statements that make the log shorter, and what to call when they are done."""

    statements: list[Statement]
    done: Callable[[], None]


class Turns:
    """Blocks put in the place of others, or of rows.

    A large block's pieces go in first, in turns of their own; nobody sees them before the block itself is there. A
    process that is killed in between leaves pieces without a block, which are cleared away when the file is opened.

    Args:
        disk: Whose connection.
        writing: The writer's turn.
    """

    def __init__(self, disk: Disk, writing: threading.RLock) -> None:
        self._disk = disk
        self._writing = writing
        self._left: list[int] = []

    def taken(self) -> AbstractContextManager[object]:
        """A turn: nobody else writes while it lasts."""
        return self._writing

    def transact(self, statements: Sequence[Statement]) -> bool:
        """One turn and transaction; whether it was done."""
        with self._writing:
            return self._disk.transact(statements)

    def each(self, steps: Iterable[Sequence[Statement]], pace: Pace) -> bool:
        """A turn and transaction for each step; whether all were done."""
        for step in steps:
            if not self.transact(step):
                return False
            pace.rest()
        return True

    def swap(
        self,
        made: Sequence[tuple[int, int, tuple[int, int], Block]],
        gone: Sequence[int],
        pace: Pace,
        *,
        holds: Callable[[], bool] = lambda: True,
        first: Callable[[], Sequence[Statement]] = tuple,
        done: Callable[[], None] = lambda: None,
    ) -> bool:
        """Add blocks and delete others, all at one moment; whether that was done.

        Args:
            made: Frame, resolution, span of time and block of each new one.
            gone: The numbers of blocks that go; where one is gone already, nothing is done.
            pace: Between the turns.
            holds: Asked in the last turn: whether all is as it was when the blocks were made.
            first: Asked in the last turn: what else belongs into its transaction, and goes before.
            done: Called in the last turn, when the blocks are there.
        """
        with self._writing:
            insertions = [self._disk.insertion(*each) for each in made]
        pieces = [piece for insertion in insertions for piece in insertion.pieces]
        numbers = [insertion.number for insertion in insertions]
        early = sum(len(values[1]) for _, values in pieces) > _TURN_BYTES
        if early:
            self._left += numbers
            if not self.each(_portions(pieces), pace):
                self._clear()
                return False
        last = [insertion.row for insertion in insertions] + ([] if early else pieces)
        with self._writing:
            if self._there(gone) and holds():
                last += [("delete from blocks where id = ?", (number,)) for number in gone]
                if self._disk.transact([*first(), *last]):
                    self._left = [number for number in self._left if number not in numbers]
                    done()
                    return True
        self._clear()
        return False

    def trimmed(self, trimming: Trimming, *, at_once: bool) -> LogCut:
        """What says that rows of the log are not needed any more.

        Args:
            trimming: Which.
            at_once: Whether they are taken from the log by the same statements; else `trim_log` does it.
        """
        log = self._disk.log
        cut = self._cut(FOREVER_MS, trimming) if at_once else LogCut([], lambda: None)
        statements: list[Statement] = [
            *(("delete from layouts where id = ?", (layout,)) for layout in trimming.layouts),
            ("update frames set sealed = ? where id = ?", (trimming.until_ms, trimming.frame)),
        ]

        def done() -> None:
            log.apply(trimming)
            cut.done()

        return LogCut([*cut.statements, *statements], done)

    def trim_log(self, pace: Pace) -> None:
        """Delete entries of the log in which no row is needed, and write those anew in which few are."""
        while True:
            with self._writing:
                cut = self._cut(_TURN_BYTES)
                if not cut.statements or not self._disk.transact(cut.statements):
                    return
                cut.done()
            pace.rest()

    def _cut(self, most_bytes: int, after: Trimming | None = None) -> LogCut:
        log, sql = self._disk.log, self._disk.connection.execute
        gone, thin = log.due(most_bytes, after)
        statements: list[Statement] = [("delete from log where id = ?", (number,)) for number in gone]
        thinned = []
        for number in thin:
            found = sql("select data from log where id = ?", (number,)).fetchone()
            data: bytes = found[0] if found else b""  # the disk did not take it: heads have its rows
            left = b"".join(row.data for row in log.needed(rows_of(data), after))
            statements.append(("update log set data = ? where id = ?", (left, number)))
            thinned.append((number, len(left)))
        return LogCut(statements, lambda: log.settled(gone, thinned))

    def vacuum(self, spare: int, pace: Pace) -> None:
        """Give pages back to the file system, until one in so many is free, some at a time."""
        before = -1
        while True:
            with self._writing:
                sql = self._disk.connection.execute
                pages, free = (sql(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
                if free <= pages // spare or free == before:
                    return
                before = free
                self._disk.connection.executescript(f"pragma incremental_vacuum({_TURN_PAGES})")
            pace.rest()

    def _there(self, blocks: Sequence[int]) -> bool:
        sql = self._disk.connection.execute
        return all(sql("select 1 from blocks where id = ?", (number,)).fetchone() for number in blocks)

    def _clear(self) -> None:
        """Take out pieces whose block will not come; what the disk refuses is tried again the next time."""
        span = "delete from pieces where id between ? and ?"
        if self._left and self.transact([(span, (each << 20, (each + 1 << 20) - 1)) for each in self._left]):
            self._left = []


def _portions(statements: Iterable[Statement]) -> Iterable[list[Statement]]:
    portion: list[Statement] = []
    size = 0
    for statement in statements:
        portion.append(statement)
        size += len(statement[1][1])
        if size >= _TURN_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
