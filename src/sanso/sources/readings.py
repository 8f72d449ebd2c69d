"""Building rows: the names once, then values in the same order every tick."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sanso.model.errors import SourceError
from sanso.model.frame import Columns, Row
from sanso.model.labels import Labels, series_of


class RowBuilder:
    """Keeps the `Columns` of a source for as long as its series do not change."""

    def __init__(self) -> None:
        self._keys: tuple[object, ...] = ()
        self._columns = Columns(())

    def row(self, keys: tuple[object, ...], labels: Iterable[Labels], values: list[float]) -> Row | None:
        """A row; `labels` is only read when `keys` differ from the last ones. None where there are no values."""
        if not values:
            return None
        if keys != self._keys or len(values) != len(self._columns.labels):
            self._keys, self._columns = keys, Columns(tuple(labels))
        return Row(self._columns, np.array(values, dtype=np.float64))


class ProcFile:
    """A small kernel file, kept open and read anew each tick."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb", buffering=0)

    def read(self) -> bytes:
        """The whole text.

        Raises:
            SourceError: The kernel gives nothing.
        """
        try:
            self._file.seek(0)
            return self._file.read()
        except OSError as error:
            raise SourceError(f"{self.path}: {error.strerror}") from error


def named(names: Iterable[str], **labels: str) -> list[Labels]:
    """One series a name, all with the same labels."""
    return [series_of(name, **labels) for name in names]
