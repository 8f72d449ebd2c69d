"""Backup of a data directory that may be in use, and restore into one that is not."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from sanso.model.errors import StoreError
from sanso.store.integrity import problems
from sanso.store.lock import DirectoryLock
from sanso.store.schema import FILE, VERSION


def backup(directory: Path, target: Path) -> int:
    """Copy everything committed into one file, by SQLite's online backup; a writer goes on meanwhile.

    Returns:
        Bytes of the copy.

    Raises:
        StoreError: There is no history, the target exists, or it cannot be written.
    """
    source = directory / FILE
    if not source.is_file():
        raise StoreError(f"{directory} holds no history: give the right --data")
    if target.exists():
        raise StoreError(f"{target} exists: give the backup another name")
    part = target.with_name(target.name + ".part")
    try:
        with _opened(f"{source.as_uri()}?mode=rw") as live, contextlib.closing(sqlite3.connect(part)) as copy:
            live.backup(copy)  # in one step: between two of them a commit would make it begin anew
            copy.execute("pragma journal_mode = delete")
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"{target} cannot be written: {error}") from error
    return target.stat().st_size


def restore(source: Path, directory: Path, *, force: bool = False) -> None:
    """Make a backup the history of a data directory that no process holds.

    Args:
        source: The backup; it is checked first.
        directory: The data directory, made where there is none.
        force: Whether a history that is there may be replaced.

    Raises:
        StoreError: The backup is damaged, or a history is there.
        StoreBusyError: A process holds the directory.
    """
    if not source.is_file():
        raise StoreError(f"{source} is not there")
    _check(source)
    directory.mkdir(parents=True, exist_ok=True)
    lock = DirectoryLock(directory)
    try:
        target = directory / FILE
        if target.exists() and not force:
            raise StoreError(f"{directory} already holds a history: give --force to replace it")
        part = target.with_name(FILE + ".part")
        with _opened(f"{source.as_uri()}?mode=ro") as saved, contextlib.closing(sqlite3.connect(part)) as copy:
            saved.backup(copy)
        for rest in (f"{FILE}-wal", f"{FILE}-shm"):
            (directory / rest).unlink(missing_ok=True)
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{directory} cannot be written: {error}") from error
    finally:
        lock.close()


def _check(source: Path) -> None:
    try:
        with _opened(f"{source.as_uri()}?mode=ro") as saved:
            (version,) = saved.execute("pragma user_version").fetchone()
            if not 0 < version <= VERSION:
                raise StoreError(f"{source} is not a backup that this Sanso reads (format {version})")
            found = next(problems(saved), "")
    except sqlite3.Error as error:
        raise StoreError(f"{source} is not a backup: {error}") from error
    if found:
        raise StoreError(f"{source} is damaged: {found}")


def _opened(address: str) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(address, uri=True))
