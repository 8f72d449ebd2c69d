"""Long work in slices, so that whoever samples is not kept waiting while it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sanso.model.frame import Floats

_SLICE_CELLS = 40_000
"""What is encoded in about five milliseconds."""


class Pace:
    """Goes on at once after each slice; another kind of it may rest."""

    def rest(self) -> None:
        """A slice is done."""

    def over(self, columns: Iterable[Floats]) -> Iterator[Floats]:
        """The columns, with a rest now and then between two of them."""
        left = _SLICE_CELLS
        for column in columns:
            yield column
            left -= max(len(column), 64)
            if left <= 0:
                self.rest()
                left = _SLICE_CELLS
