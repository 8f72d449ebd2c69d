"""What makes a file of an earlier version into one of a later."""

from __future__ import annotations

import itertools
import sqlite3
import struct

import numpy as np

from sanso.store.blocks import as_block
from sanso.store.log import LoggedRow

_MOST_ROWS = 64
"""In an entry of the log that is made of old rows."""


def to_version_3(connection: sqlite3.Connection, tables: str) -> None:
    """Blocks have tiers, compressed indices, and pieces instead of one long value; catalogue entries may be packed."""
    sql = connection.execute
    sql("alter table blocks rename to old_blocks")
    sql("drop index blocks_by_time")
    for statement in _statements(tables):
        sql(statement)
    sql("create table packs (id integer primary key, data blob not null)")
    for (number,) in sql("select id from old_blocks").fetchall():
        question = "select frame, first, last, rows, timeline, places, chunks from old_blocks where id = ?"
        frame, first, last, rows, timeline, places, chunks = sql(question, (number,)).fetchone()
        (count,) = struct.unpack_from("<I", places)
        series = np.frombuffer(places, dtype=np.int32, count=count, offset=4).tolist()
        ends = [0, *np.frombuffer(places, dtype=np.int64, count=count, offset=4 + 4 * count).tolist()]
        block = as_block(timeline, series, [chunks[a:b] for a, b in itertools.pairwise(ends)], rows)
        values = (number, frame, first, last, rows, count, block.timeline, block.index)
        sql("insert into blocks values (?, ?, 0, ?, ?, ?, ?, ?, ?)", values)
        for piece, data in enumerate(block.pieces):
            sql("insert into pieces values (?, ?)", ((number << 20) + piece, data))
        sql("delete from old_blocks where id = ?", (number,))
    sql("drop table old_blocks")


def to_version_4(connection: sqlite3.Connection) -> None:
    """The log has entries of several rows; frames say until when they are sealed."""
    sql = connection.execute
    sql("alter table log rename to old_log")
    sql("create table log (id integer primary key, data blob not null)")
    rows = sql("select frame, time, layout, cells from old_log order by frame, time")
    made = (
        LoggedRow.of(frame, time_ms, layout, np.frombuffer(cells, dtype=np.float64)).data
        for frame, time_ms, layout, cells in rows
    )
    while some := list(itertools.islice(made, _MOST_ROWS)):
        connection.cursor().execute("insert into log (data) values (?)", (b"".join(some),))
    sql("drop table old_log")
    sql("alter table frames rename to old_frames")
    sql("create table frames (id integer primary key, name text not null, sealed integer not null)")
    newest = "coalesce((select max(last) from blocks where blocks.frame = old_frames.id), -1)"
    sql(f"insert into frames select id, name, {newest} from old_frames")
    sql("drop table old_frames")


def _statements(script: str) -> list[str]:
    """The statements of a script: `executescript` would end the transaction."""
    found, held = [], ""
    for line in script.splitlines():
        held += line + "\n"
        if sqlite3.complete_statement(held):
            found.append(held)
            held = ""
    return found
