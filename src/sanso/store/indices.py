"""Decoded indices of blocks, kept while there is room: a block never changes, so neither does its index."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from dataclasses import dataclass

from sanso.model.frame import Times
from sanso.store.blocks import decode_index, decode_times
from sanso.store.places import Places

_MOST_BYTES = 4 << 20


@dataclass(frozen=True)
class Index:
    """What has to be known of a block to read a column.

    Attributes:
        times: Shape [T].
        places: Which series its columns are.
        ends: Where each chunk begins and ends, N + 1 of them.
    """

    times: Times
    places: Places
    ends: Times

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes, with what is made when it is used."""
        return 8 * len(self.times) + 72 * len(self.ends)


class Indices:
    """Indices by the number of a block, which must never be given to another."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[int, Index] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def of(self, connection: sqlite3.Connection, block: int) -> Index:
        """The index of a block that the connection sees.

        Raises:
            StoreError: The index is damaged.
        """
        with self._lock:
            found = self._held.get(block)
            if found is not None:
                self._held.move_to_end(block)
                return found
        timeline, places = connection.execute("select timeline, places from blocks where id = ?", (block,)).fetchone()
        series, ends = decode_index(places)
        made = Index(decode_times(timeline), Places(series.tolist()), ends)
        self._keep(block, made)
        return made

    def _keep(self, block: int, made: Index) -> None:
        with self._lock:
            if block not in self._held:
                self._held[block] = made
                self._bytes += made.size
            while self._bytes > self._most_bytes and len(self._held) > 1:
                self._bytes -= self._held.popitem(last=False)[1].size
