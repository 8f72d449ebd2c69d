"""The SQLite file: its tables, its settings, its version."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sanso.model.errors import StoreError

FILE = "sanso.db"
VERSION = 2

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
_MIGRATIONS = {
    2: "create table tombstones (series integer not null, first integer not null, last integer not null);",
}
"""What makes a file of the version before into one of this version."""


def open_file(directory: Path) -> sqlite3.Connection:
    """The writer's connection; makes the file where there is none.

    Raises:
        StoreError: The file is not ours, or of a newer version.
    """
    path = directory / FILE
    try:
        connection = connect(path)
        (version,) = connection.execute("pragma user_version").fetchone()
        if version > VERSION:
            raise StoreError(f"{path} was written by a newer Sanso (format {version}): upgrade, or give another --data")
        if version == 0:
            connection.execute("pragma auto_vacuum = incremental")
            connection.execute("pragma journal_mode = wal")
            connection.executescript(f"begin;{_TABLES}pragma user_version = {VERSION};commit;")
        for step in range(version + 1, VERSION + 1) if version else ():
            connection.executescript(f"begin;{_MIGRATIONS[step]}pragma user_version = {step};commit;")
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} cannot be opened: {error}") from error
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """A connection that any one thread at a time may use; transactions are explicit."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    connection.execute("pragma synchronous = normal")
    connection.execute("pragma wal_autocheckpoint = 2000")
    return connection
