"""Whether a store's file is whole: SQLite's own check, and every block and row read."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator

import numpy as np

from sanso.model.errors import StoreError
from sanso.store.blocks import decode_chunk, decode_index, decode_times


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong, a line each; nothing where all is well."""
    for (said,) in connection.execute("pragma integrity_check"):
        if said != "ok":
            yield f"SQLite: {said}"
    known = {number for (number,) in connection.execute("select id from series")}
    yield from _blocks(connection, known)
    yield from _log(connection)


def _blocks(connection: sqlite3.Connection, known: set[int]) -> Iterator[str]:
    blocks = connection.execute("select id, frame, first, last, rows, timeline, places, chunks from blocks")
    for number, frame, first, last, rows, timeline, places, chunks in blocks:
        where = f"block {number} of frame {frame}"
        try:
            times = decode_times(timeline)
            if len(times) != rows or times[0] != first or times[-1] != last or (np.diff(times) <= 0).any():
                yield f"{where}: its times are not what the table says"
            series, ends = decode_index(places)
            if int(ends[-1]) != len(chunks):
                yield f"{where}: its columns are {len(chunks)} bytes, not {int(ends[-1])}"
                continue
            for start, end in itertools.pairwise(ends):
                decode_chunk(chunks[int(start) : int(end)], rows)
        except (StoreError, ValueError, IndexError, RuntimeError) as error:
            yield f"{where}: {error}"
            continue
        strange = set(series.tolist()) - known
        if strange:
            yield f"{where}: {len(strange)} series that the catalogue does not know"


def _log(connection: sqlite3.Connection) -> Iterator[str]:
    layouts = {number: len(series) // 4 for number, series in connection.execute("select id, series from layouts")}
    for frame, time_ms, layout, size in connection.execute("select frame, time, layout, length(cells) from log"):
        if layouts.get(layout) is None or size != 8 * layouts[layout]:
            yield f"row {time_ms} of frame {frame} is not {layouts.get(layout, 0)} cells"
