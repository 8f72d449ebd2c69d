"""A history as format 2 had it, written by its rules alone."""

from __future__ import annotations

import json
import sqlite3
import struct
from pathlib import Path

import numpy as np
from pcodec import ChunkConfig, standalone

from sanso.model.frame import Floats
from sanso.model.labels import Labels
from sanso.store.schema import FILE

_TABLES = """
create table frames  (id integer primary key, name text not null unique);
create table series  (id integer primary key, frame integer not null, labels text not null);
create table layouts (id integer primary key, frame integer not null, series blob not null);
create table log     (frame integer not null, time integer not null, layout integer not null, cells blob not null,
                      primary key (frame, time)) without rowid;
create table blocks  (id integer primary key, frame integer not null, first integer not null, last integer not null,
                      rows integer not null, timeline blob not null, places blob not null, chunks blob not null);
create index blocks_by_time on blocks (frame, last);
create table families(name text primary key, type text not null, help text not null, unit text not null);
create table states  (key text primary key, value blob not null);
create table tombstones (series integer not null, first integer not null, last integer not null);
"""


def write(directory: Path, labels: list[Labels], values: Floats, *, sealed: int) -> None:
    """Rows [T, N] a second apart from 1 s on, the first of them sealed in blocks of ten, the rest logged."""
    directory.mkdir(parents=True)
    connection = sqlite3.connect(directory / FILE)
    connection.execute("pragma auto_vacuum = incremental")
    connection.execute("pragma journal_mode = wal")
    connection.executescript(_TABLES)
    sql = connection.execute
    sql("insert into frames values (1, 'f')")
    for number, each in enumerate(labels, 1):
        sql("insert into series values (?, 1, ?)", (number, json.dumps(dict(each))))
    numbers = np.arange(1, len(labels) + 1, dtype=np.int32)
    sql("insert into layouts values (1, 1, ?)", (numbers.tobytes(),))
    times = 1000 * np.arange(1, len(values) + 1, dtype=np.int64)
    for begin in range(0, sealed, 10):
        here = slice(begin, begin + 10)
        chunks = [b"\x01" + standalone.simple_compress(column.copy(), ChunkConfig()) for column in values[here].T]
        ends = np.cumsum([len(chunk) for chunk in chunks], dtype=np.int64)
        index = struct.pack("<I", len(labels)) + numbers.tobytes() + ends.tobytes()
        timeline = standalone.simple_compress(times[here], ChunkConfig())
        row = (int(times[here][0]), int(times[here][-1]), 10, timeline, index, b"".join(chunks))
        sql("insert into blocks (frame, first, last, rows, timeline, places, chunks) values (1, ?, ?, ?, ?, ?, ?)", row)
    for time_ms, cells in zip(times[sealed:].tolist(), values[sealed:], strict=True):
        sql("insert into log values (1, ?, 1, ?)", (time_ms, cells.tobytes()))
    sql("pragma user_version = 2")
    connection.commit()
    connection.close()
