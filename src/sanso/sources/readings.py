"""Building rows: the names once, then values in the same order every tick."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sanso.model.errors import SourceError
from sanso.model.frame import Columns, Row
from sanso.model.labels import Labels, series_of

_PIECE = 1 << 16
"""Bytes a system call; a kernel file gives its lines whole, and nothing when it is at its end."""


class RowBuilder:
    """Keeps the `Columns` of a source for as long as its series do not change."""

    def __init__(self) -> None:
        self._keys: tuple[object, ...] = ()
        self._columns = Columns(())

    def row(self, keys: tuple[object, ...], labels: Iterable[Labels], values: list[float]) -> Row | None:
        """A row; `labels` is only read when `keys` differ from the last ones. None where there are no values.

        Raises:
            SourceError: There are more or fewer values than series.
        """
        if not values:
            return None
        if keys != self._keys or len(values) != len(self._columns.labels):
            self._keys, self._columns = keys, Columns(tuple(labels))
            if len(values) != len(self._columns.labels):
                raise SourceError(f"{len(values)} values for {len(self._columns.labels)} series: an unknown format")
        return Row(self._columns, np.array(values, dtype=np.float64))


class ProcFile:
    """A small kernel file, kept open and read anew each tick; closed when nobody holds it any more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)

    def read(self) -> bytes:
        """The whole text.

        Raises:
            SourceError: The kernel gives nothing.
        """
        try:
            text = part = os.pread(self._descriptor, _PIECE, 0)
            while part:
                part = os.pread(self._descriptor, _PIECE, len(text))
                text += part
        except OSError as error:
            raise SourceError(f"{self.path}: {error.strerror}") from error
        return text


def named(names: Iterable[str], **labels: str) -> list[Labels]:
    """One series a name, all with the same labels."""
    return [series_of(name, **labels) for name in names]
