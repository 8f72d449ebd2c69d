"""Series of the catalogue many at a time, compressed: label sets repeat each other, and a history keeps them for years.

New series stand one by one in `series`; when there are many they are packed. A pack never changes: when series in it
are forgotten, another takes its place.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence

from sanso.model.errors import StoreError
from sanso.model.labels import Labels, labels_of
from sanso.store.waiting import Statement

_MOST_SERIES = 1000
_Row = tuple[int, int, str]
"""Number, frame, labels as JSON."""


def every_series(connection: sqlite3.Connection) -> Iterator[tuple[int, int, Labels]]:
    """Number, frame and labels of every series, packed or not.

    Raises:
        StoreError: A pack is damaged.
    """
    for number, frame, text in connection.execute("select id, frame, labels from series"):
        yield number, frame, labels_of(json.loads(text))
    for first, data in connection.execute("select id, data from packs"):
        for number, frame, text in _unpacked(first, data):
            yield number, frame, labels_of(json.loads(text))


def packing(connection: sqlite3.Connection, fewest: int) -> list[list[Statement]]:
    """What packs the series that stand one by one, where there are so many: a transaction for each pack."""
    rows = connection.execute("select id, frame, labels from series order by id").fetchall()
    if len(rows) < fewest:
        return []
    some = (rows[begin : begin + _MOST_SERIES] for begin in range(0, len(rows), _MOST_SERIES))
    return [[*_packs(each), *(("delete from series where id = ?", (row[0],)) for row in each)] for each in some]


def without(connection: sqlite3.Connection, dead: Iterable[int]) -> list[Statement]:
    """What takes forgotten series out of the packs.

    Raises:
        StoreError: A pack is damaged.
    """
    gone, statements = set(dead), []
    for number, data in connection.execute("select id, data from packs").fetchall():
        rows = _unpacked(number, data)
        kept = [row for row in rows if row[0] not in gone]
        if len(kept) < len(rows):
            statements += [("delete from packs where id = ?", (number,)), *_packs(kept)]
    return statements


def _packs(rows: Sequence[_Row]) -> list[Statement]:
    """What adds packs of these series; each is known by its first."""
    made: list[Statement] = []
    for begin in range(0, len(rows), _MOST_SERIES):
        some = rows[begin : begin + _MOST_SERIES]
        numbers = [after[0] - before[0] for before, after in itertools.pairwise(some)]
        listed = [numbers, [row[1] for row in some], [json.loads(row[2]) for row in some]]
        data = zlib.compress(json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode(), 9)
        made.append(("insert into packs values (?, ?)", (some[0][0], data)))
    return made


def _unpacked(first: int, data: bytes) -> list[_Row]:
    try:
        steps, frames, labels = json.loads(zlib.decompress(data))
        numbers = itertools.accumulate(steps, initial=first)
        texts = (json.dumps(each, ensure_ascii=False) for each in labels)
        return list(zip(numbers, frames, texts, strict=True))
    except (zlib.error, ValueError, TypeError) as error:
        raise StoreError("a part of the catalogue is damaged: restore a backup") from error
