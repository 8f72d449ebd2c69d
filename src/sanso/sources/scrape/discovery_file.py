"""File discovery: target groups in files, read again when they change."""

from __future__ import annotations

import glob
import logging
import os
from pathlib import Path

from sanso.model.errors import SourceError
from sanso.sources.scrape.discovery import groups_of_file
from sanso.sources.scrape.settings import FileDiscovery, TargetGroup

_log = logging.getLogger(__name__)
_Stamp = tuple[int, int, int]


class FileWatch:
    """The groups of all files that the patterns name; a broken file keeps what it gave before.

    Args:
        settings: Patterns.

    Attributes:
        problems: What is wrong, by file.
    """

    def __init__(self, settings: FileDiscovery) -> None:
        self.problems: dict[str, str] = {}
        self._settings = settings
        self._stamps: dict[str, _Stamp] = {}
        self._groups: dict[str, list[TargetGroup]] = {}

    def look(self, *, everything: bool = False) -> bool:
        """Read files that changed; whether any groups may be others now.

        Args:
            everything: Read also what seems the same.
        """
        names = sorted({name for pattern in self._settings.patterns for name in glob.glob(pattern)})
        stamps = {name: stamp for name in names if (stamp := _stamp(name)) is not None}
        changed = [name for name, stamp in stamps.items() if everything or self._stamps.get(name) != stamp]
        gone = self._stamps.keys() - stamps.keys()
        self._stamps = stamps
        for name in gone:
            self._groups.pop(name, None)
            self.problems.pop(name, None)
        for name in changed:
            try:
                self._groups[name] = groups_of_file(Path(name))
                self.problems.pop(name, None)
            except SourceError as error:
                if self.problems.get(name) != str(error):
                    _log.warning("targets: %s; what it gave before is kept", error)
                self.problems[name] = str(error)
        return bool(changed or gone)

    def groups(self) -> list[TargetGroup]:
        """All groups, file by file."""
        return [group for _, groups in sorted(self._groups.items()) for group in groups]


def _stamp(name: str) -> _Stamp | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
