"""Reading a sealed block column by column; decoded indices are kept, for a block never changes."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.errors import StoreError
from sanso.model.frame import Floats, Times
from sanso.store.blocks import (
    Begins,
    decode_chunk,
    decode_index,
    decode_many,
    decode_times,
    decode_with,
    other_of,
    piece_starts,
    whole_chunk,
)
from sanso.store.places import Places

Ask: TypeAlias = Callable[[str, tuple[int, ...]], Any]
_MOST_BYTES = 4 << 20
_PIECES_HELD = 4
_CELLS_AT_ONCE = 1 << 17


@dataclass(frozen=True)
class Index:
    """What has to be known of a block to read a column.

    Attributes:
        times: Shape [T].
        places: Which series its columns are.
        ends: Where each chunk begins and ends, N + 1 of them.
        begins: How the streams of each kind of chunk begin.
    """

    times: Times
    places: Places
    ends: Times
    begins: Begins

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes, with what is made when it is used."""
        return 8 * len(self.times) + 80 * len(self.ends)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first column of each piece."""
        return np.array(piece_starts(self.ends), dtype=np.int64)


class BlockColumns:
    """The columns of one block.

    Args:
        ask: Answers a question with a row, or None.
        block: Its number.
        index: Its index.
    """

    def __init__(self, ask: Ask, block: int, index: Index) -> None:
        self._ask = ask
        self._block = block
        self._index = index
        self._pieces: OrderedDict[int, bytes] = OrderedDict()

    def column(self, place: int) -> Floats:
        """The values of a column, shape [T].

        Raises:
            StoreError: The block is damaged.
        """
        return self._values(place, self._chunk(place))

    def batches(self, places: NDArray[np.intp], span: slice) -> Iterator[Floats]:
        """The values of columns, best in the order in which they lie: matrices of some each, [n, rows of the span].

        Raises:
            StoreError: The block is damaged.
        """
        index = self._index
        rows = len(index.times)
        some = max(_CELLS_AT_ONCE // max(rows, 1), 1)
        for first in range(0, len(places), some):
            part = places[first : first + some]
            chunks = self._chunks(part)
            values, told = decode_many(chunks, index.begins, rows, span)
            for line in told:
                values[line] = self._values(int(part[line]), whole_chunk(chunks[line], index.begins))[span]
            yield values

    def _chunks(self, places: NDArray[np.intp]) -> list[bytes]:
        """Chunks as they lie in their pieces."""
        index = self._index
        pieces = index.starts.searchsorted(places, side="right") - 1
        begins = index.ends[index.starts[pieces]]
        where = (pieces, index.ends[places] - begins, index.ends[places + 1] - begins)
        chunks: list[bytes] = []
        read, data = -1, b""
        for piece, start, end in zip(*(each.tolist() for each in where), strict=True):
            if piece != read:
                read, data = piece, self._piece(piece)
            chunks.append(data[start:end])
        return chunks

    def _values(self, place: int, chunk: bytes) -> Floats:
        rows = len(self._index.times)
        other = other_of(chunk)
        if other is None:
            return decode_chunk(chunk, rows)
        if other >= place:
            raise StoreError("a block's column is damaged: restore a backup")
        chunk_of_other = self._chunk(other)
        if other_of(chunk_of_other) is not None:  # equal to one that is told by a third
            return self._values(other, chunk_of_other)
        return decode_with(chunk, chunk_of_other, rows)

    def _chunk(self, place: int) -> bytes:
        index = self._index
        piece = int(index.starts.searchsorted(place, side="right")) - 1
        begin = int(index.ends[index.starts[piece]])
        chunk = self._piece(piece)[int(index.ends[place]) - begin : int(index.ends[place + 1]) - begin]
        return whole_chunk(chunk, index.begins)

    def _piece(self, number: int) -> bytes:
        found = self._pieces.get(number)
        if found is None:
            question = "select data from pieces where id = ?"
            row = self._ask(question, ((self._block << 20) + number,))
            if row is None:
                raise StoreError("a block lacks a piece: restore a backup")
            found = self._pieces[number] = row[0]
            if len(self._pieces) > _PIECES_HELD:
                self._pieces.popitem(last=False)
        return found


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
        made = read_index(connection, block)
        self._keep(block, made)
        return made

    def _keep(self, block: int, made: Index) -> None:
        with self._lock:
            if block not in self._held:
                self._held[block] = made
                self._bytes += made.size
            while self._bytes > self._most_bytes and len(self._held) > 1:
                self._bytes -= self._held.popitem(last=False)[1].size


def asking(connection: sqlite3.Connection) -> Ask:
    """Questions put to a connection, whose transaction goes on meanwhile."""
    return lambda question, values: connection.execute(question, values).fetchone()


def read_index(connection: sqlite3.Connection, block: int) -> Index:
    """The index of a block.

    Raises:
        StoreError: It is damaged, or has been dropped meanwhile.
    """
    found = connection.execute("select timeline, places from blocks where id = ?", (block,)).fetchone()
    if found is None:
        raise StoreError(f"block {block} is not there any more: ask again")
    timeline, places = found
    series, ends, begins = decode_index(places)
    return Index(decode_times(timeline), Places(series.tolist()), ends, begins)
