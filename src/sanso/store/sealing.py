"""Heads made into blocks: encoded beside the writer, who goes on meanwhile, and put in place in a short turn."""

from __future__ import annotations

from sanso.store.blocks import encode
from sanso.store.disk import Disk
from sanso.store.head import Head
from sanso.store.limits import Limits
from sanso.store.pace import Pace
from sanso.store.reading import Reading
from sanso.store.turns import LogCut, Turns
from sanso.store.waiting import Statement

_SOFT_BYTES, _HARD_BYTES = 128 << 20, 192 << 20
"""Of all heads: from where the largest is sealed however short, and where writers have to wait."""
_LOG_SHARE, _BUSY_SHARE = 0.25, 0.15
"""Of a limit of bytes: what rows in the log may take; and from where the largest head is sealed however short."""
_NEVER_MS = -(1 << 62)


class Sealer:
    """Seals the heads of a store.

    Args:
        disk: Where to.
        turns: The writer's.
        reading: Whose heads.
        limits: How long a head may be.

    Attributes:
        most_log_bytes: What one transaction may be under a limit of bytes; 0 for anything.
        stuck: Whether the disk took no block when one was last made.
        sealed: How often rows have left a head.
    """

    def __init__(self, disk: Disk, turns: Turns, reading: Reading, limits: Limits) -> None:
        self._disk = disk
        self._turns = turns
        self._reading = reading
        self._limits = limits
        self.stuck = False
        self.sealed = 0

    @property
    def held_bytes(self) -> int:
        """What all heads take."""
        return sum(head.view.size for head in list(self._reading.heads.values()))

    def hurried(self) -> bool:
        """Whether there is more than there should be."""
        return self.held_bytes > _SOFT_BYTES

    def crowded(self, share: float = _LOG_SHARE) -> bool:
        """Whether rows that are not sealed need more of the limit of bytes than is theirs: sealed, a tenth of it."""
        most = self._disk.most_bytes
        return bool(most) and self._disk.log.size + self._disk.waiting.row_bytes > most * share

    def overfull(self) -> bool:
        """Whether writers have to wait until some is sealed."""
        return self.held_bytes > _HARD_BYTES

    def tend(self, pace: Pace, *, idle_since_ms: int = _NEVER_MS) -> bool:
        """Seal what is long enough, and what nobody has written to since then; whether the disk took it."""
        self.stuck = False
        for number, head in list(self._reading.heads.items()):
            rows = head.view.rows
            if rows and head.newest_ms < idle_since_ms:
                self.seal(number, head, rows, pace)
            elif rows > self._limits.head_rows:
                self.seal(number, head, rows - 1, pace)  # the newest may still be added to
        while not self.stuck and (self.hurried() or self.crowded(_BUSY_SHARE)):
            number, head = max(self._reading.heads.copy().items(), key=lambda pair: _cells(pair[1]))
            if not _cells(head) or not self.seal(number, head, head.view.rows - 1, pace):
                break
        return not self.stuck

    def seal(self, number: int, head: Head, rows: int, pace: Pace, *, old: bool = False) -> bool:
        """Seal the oldest rows of a head, in as many blocks as a limit of bytes asks for; whether all were.

        Not where the head changes meanwhile in a way that matters: it is left as it is then.

        Args:
            number: Of the frame.
            head: Its head.
            rows: How many.
            pace: How fast.
            old: Whether they are older than the retention, so that series which have no newer ones have ended.
        """
        most = self._disk.most_rows(len(head.view.series)) or rows
        while rows > 0:
            if not self._seal(number, head, min(rows, most), pace, old=old):
                return False
            rows -= most
        return True

    def _seal(self, number: int, head: Head, rows: int, pace: Pace, *, old: bool) -> bool:
        with self._turns.taken():
            view, dropped, added_to = head.view, head.dropped, head.added_to
        rows = min(rows, view.rows)
        if not rows:
            return False
        times = view.timeline[:rows]
        span = (int(times[0]), int(times[-1]))
        limited = self._disk.most_log_bytes > 0
        block = encode(times, view.series, view.columns(rows), pace)

        def unchanged() -> bool:
            return head.dropped == dropped and (rows < view.rows or head.added_to == added_to)

        cut = LogCut([], lambda: None)

        def first() -> list[Statement]:
            # Facts, for series must be known with their block. And the log, where pages are limited: then the block
            # takes those that it leaves.
            nonlocal cut
            cut = self._turns.trimmed(self._disk.log.trimming(number, span[1]), at_once=limited)
            return [*self._disk.waiting.facts(), *cut.statements]

        def drop() -> None:
            self._disk.waiting.clear()
            cut.done()
            head.drop(rows, sealed=not old)
            self.sealed += 1

        made = [(number, 0, span, block)]
        if not self._turns.swap(made, [], pace, holds=unchanged, first=first, done=drop):
            self.stuck = bool(self._disk.notice)
            return False
        if not limited:
            self._turns.trim_log(pace)
        return True


def _cells(head: Head) -> int:
    """How many cells may be sealed: not the newest row."""
    return max(head.view.rows - 1, 0) * len(head.view.series)
