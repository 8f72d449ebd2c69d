"""What makes a file of an earlier version into one of a later."""

from __future__ import annotations

import itertools
import sqlite3
import struct

import numpy as np

from sanso.store.blocks import as_block


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


def _statements(script: str) -> list[str]:
    """The statements of a script: `executescript` would end the transaction."""
    found, held = [], ""
    for line in script.splitlines():
        held += line + "\n"
        if sqlite3.complete_statement(held):
            found.append(held)
            held = ""
    return found
