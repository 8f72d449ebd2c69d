"""One process a data directory: a lock file that says who holds it and where it answers."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from sanso.model.errors import StoreBusyError

_FILE = "sanso.lock"


@dataclass(frozen=True)
class Holder:
    """Who holds a data directory; `url` is empty where it answers nobody."""

    pid: int
    url: str


class DirectoryLock:
    """Held until closed, and let go of by the system when the process ends, however it ends.

    Raises:
        StoreBusyError: Another process holds it.
    """

    def __init__(self, directory: Path) -> None:
        self._descriptor = os.open(directory / _FILE, os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(self._descriptor):
            found = _read(self._descriptor)
            os.close(self._descriptor)
            where = f" and answers at {found.url}" if found.url else ""
            raise StoreBusyError(
                f"process {found.pid} holds {directory}{where}: ask it with --url, or give another --data",
                url=found.url,
                pid=found.pid,
            )
        self.set_url("")

    def set_url(self, url: str) -> None:
        """Say where this process answers."""
        text = json.dumps({"pid": os.getpid(), "url": url}).encode()
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, text)

    def close(self) -> None:
        """Let go; a second time does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def holder(directory: Path) -> Holder | None:
    """Who holds a data directory; None where nobody does."""
    try:
        descriptor = os.open(directory / _FILE, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _lock(descriptor) else _read(descriptor)
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> Holder:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        held = json.loads(os.read(descriptor, 4096) or b"{}")
    except ValueError:  # caught between two writes of its holder
        held = {}
    return Holder(int(held.get("pid", 0)), str(held.get("url", "")))


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # beyond the text, which others may then read
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
