"""Whether a store's file is whole: SQLite's own check, and every block and row read."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sanso.model.errors import StoreError
from sanso.store.coarse import series_of
from sanso.store.columns import BlockColumns, asking, read_index
from sanso.store.log import rows_of
from sanso.store.packs import every_series
from sanso.store.schema import FILE, VERSION


def problems_in(directory: Path) -> list[str]:
    """What is wrong with a history that another process may be using: as it is at one moment."""
    try:
        address = f"{(directory / FILE).absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute("begin")
            return list(problems(connection))
    except sqlite3.Error as error:
        return [f"it cannot be read ({error})"]


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong, a line each; nothing where all is well. Of an earlier version, only what SQLite says."""
    for (said,) in connection.execute("pragma integrity_check"):
        if said != "ok":
            yield f"SQLite: {said}"
    if connection.execute("pragma user_version").fetchone() < (VERSION,):  # read when it is brought forward
        return
    try:
        known = {number for number, *_ in every_series(connection)}
    except StoreError as error:
        yield str(error)
        return
    yield from _blocks(connection, known)
    yield from _log(connection)


def _blocks(connection: sqlite3.Connection, known: set[int]) -> Iterator[str]:
    for number, *said in connection.execute("select id, frame, tier, first, last, rows from blocks").fetchall():
        frame, tier, first, last, rows = said
        where = f"block {number} of frame {frame}"
        try:
            index = read_index(connection, number)
            times = index.times
            inside = len(times) and first <= times[0] and (times[0] == first or tier) and times[-1] == last
            if len(times) != rows or not inside or (np.diff(times) <= 0).any():
                yield f"{where}: its times are not what the table says"
            question = "select coalesce(sum(length(data)), 0) from pieces where id between ? and ?"
            (held,) = connection.execute(question, (number << 20, (number + 1 << 20) - 1)).fetchone()
            if int(index.ends[-1]) != held:
                yield f"{where}: its columns are {held} bytes, not {int(index.ends[-1])}"
                continue
            columns = BlockColumns(asking(connection), number, index)
            for place in range(len(index.places.series)):
                columns.column(place)
        except (StoreError, ValueError, IndexError, RuntimeError) as error:
            yield f"{where}: {error}"
            continue
        strange = {series_of(code) if tier else code for code in index.places.series} - known
        if strange:
            yield f"{where}: {len(strange)} series that the catalogue does not know"


def _log(connection: sqlite3.Connection) -> Iterator[str]:
    layouts = {number: len(series) // 4 for number, series in connection.execute("select id, series from layouts")}
    sealed = dict(connection.execute("select id, sealed from frames").fetchall())
    for number, data in connection.execute("select id, data from log"):
        try:
            for row in rows_of(data):
                if row.time_ms <= sealed.get(row.frame, row.time_ms):  # it is not needed any more
                    continue
                if row.layout not in layouts:
                    yield f"row {row.time_ms} of frame {row.frame} is of series that nothing says"
                else:
                    row.cells(layouts[row.layout])
        except StoreError as error:
            yield f"entry {number} of the log: {error}"
