"""A plot in braille dots: two values a cell across, four steps a cell up."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BASE = 0x2800
_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""Left and right column, from the bottom up."""


def braille(series: Sequence[Sequence[float]], width: int, height: int, ends: tuple[float, float]) -> list[str]:
    """The newest `2 * width` values of each series on a scale between `ends`: `height` lines, uppermost first.

    Consecutive values are joined; a NaN leaves a gap. Values beyond the scale lie on its edge.
    """
    cells = [[0] * width for _ in range(height)]
    for values in series:
        shown = list(values[-2 * width :])
        offset = 2 * width - len(shown)
        levels = [level_of(value, height * 4, ends) for value in shown]
        for index, level in enumerate(levels):
            if level is not None:
                before = levels[index - 1] if index else None
                _column(cells, offset + index, level, level if before is None else before)
    return ["".join(chr(_BASE + cell) if cell else " " for cell in row) for row in cells]


def level_of(value: float, levels: int, ends: tuple[float, float]) -> int | None:
    """The step, from 0 at the bottom, on which a value lies; None for a gap."""
    low, top = ends
    if not math.isfinite(value) or top <= low:
        return None
    return min(levels - 1, max(0, round((value - low) / (top - low) * (levels - 1))))


def _column(cells: list[list[int]], x: int, level: int, before: int) -> None:
    """One dot, and those that join it to the one before."""
    low, high = (level, level) if level == before else (min(level, before + 1), max(level, before - 1))
    for step in range(low, high + 1):
        row = len(cells) - 1 - step // 4
        cells[row][x // 2] |= _DOTS[x % 2][step % 4]
