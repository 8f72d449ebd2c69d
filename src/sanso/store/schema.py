"""The SQLite file: its tables, its settings, its version."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from sanso.model.errors import StoreError
from sanso.store.migration import to_version_3, to_version_4

FILE = "sanso.db"
VERSION = 4
_PAGE_BYTES = 8192
"""A row of a thousand series then takes one or two: with small pages a commit costs more CPU."""
_PACKED_PAGE_BYTES = 1024
_SMALL_FILE = 32 << 20
"""Every table takes a page at least: of a file up to this size, sealed and put aside, half could be that."""
_CHECKPOINT_BYTES = 8 << 20
_CACHE_KIB = 512
"""Of each connection: what is written once and read seldom needs no more, and SQLite's 2 MB each would stay."""

_TABLES = """
create table frames (id integer primary key, name text not null, sealed integer not null);
create table series (id integer primary key, frame integer not null, labels text not null);
create table packs (id integer primary key, data blob not null);
create table layouts (id integer primary key, frame integer not null, series blob not null);
create table log (id integer primary key, data blob not null);
create table families (name text primary key, type text not null, help text not null, unit text not null) without rowid;
create table states (key text primary key, value blob not null) without rowid;
create table tombstones (series integer not null, first integer not null, last integer not null);
"""
_BLOCKS = """
create table blocks (id integer primary key, frame integer not null, tier integer not null, first integer not null,
last integer not null, rows integer not null, columns integer not null, timeline blob not null, places blob not null);
create index blocks_by_time on blocks (frame, last);
create table pieces (id integer primary key, data blob not null);
create trigger blocks_gone after delete on blocks begin
delete from pieces where id between old.id << 20 and (old.id << 20) + 1048575;
end;
"""


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
            connection.execute(f"pragma page_size = {_PAGE_BYTES}")
            connection.execute("pragma auto_vacuum = incremental")
            connection.execute("pragma journal_mode = wal")
            connection.executescript(f"begin;{_TABLES}{_BLOCKS}pragma user_version = {VERSION};commit;")
        elif version < VERSION:
            _bring_forward(connection, version)
        (page_bytes,) = connection.execute("pragma page_size").fetchone()
        if page_bytes < _PAGE_BYTES and path.stat().st_size <= _SMALL_FILE:
            _write_anew(connection, _PAGE_BYTES)
            page_bytes = _PAGE_BYTES
        connection.execute(f"pragma wal_autocheckpoint = {_CHECKPOINT_BYTES // page_bytes}")
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} cannot be opened: {error}") from error
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """A connection that any one thread at a time may use; transactions are explicit."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    connection.execute("pragma synchronous = normal")
    connection.execute(f"pragma cache_size = -{_CACHE_KIB}")
    return connection


def pack(directory: Path) -> None:
    """Make the file of a closed store as small as it can be; large ones and those in use stay as they are."""
    path = directory / FILE
    if path.stat().st_size > _SMALL_FILE:
        return
    connection = connect(path)
    try:
        with contextlib.suppress(sqlite3.OperationalError):
            _write_anew(connection, _PACKED_PAGE_BYTES)
    finally:
        connection.close()


def _write_anew(connection: sqlite3.Connection, page_bytes: int) -> None:
    """With pages of another size; nobody else may have it open."""
    connection.execute("pragma journal_mode = delete")
    connection.execute(f"pragma page_size = {page_bytes}")
    connection.execute("vacuum")
    connection.execute("pragma journal_mode = wal")


def _bring_forward(connection: sqlite3.Connection, version: int) -> None:
    """Make a file of an earlier version one of this: all of it or nothing."""
    connection.execute("begin immediate")
    try:
        if version < 2:
            connection.execute(
                "create table tombstones (series integer not null, first integer not null, last integer not null)"
            )
        if version < 3:
            to_version_3(connection, _BLOCKS)
        if version < 4:
            to_version_4(connection)
        connection.execute(f"pragma user_version = {VERSION}")
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
