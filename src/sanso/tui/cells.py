"""Text that lines up: widths in terminal cells, where a Japanese character or an emoji takes two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size

_BLOCKS = "▁▂▃▄▅▆▇█"
_EMOJI_PRESENTATION = "\ufe0f"
_HEADROOM = 1.25

Scale: TypeAlias = tuple[float, float]


def left(text: str, width: int) -> str:
    """The text at the left of `width` cells; what is too long ends in `…`."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, max(0, width - 1)).rstrip() + "…", width) if width > 0 else ""


def right(text: str, width: int) -> str:
    """The text at the right of `width` cells; a figure is never cut, it pushes."""
    return " " * (width - cell_len(text)) + text


def icon(text: str) -> str:
    """An emoji in exactly two cells.

    Terminals disagree about the width of an emoji that only a variation selector makes wide; without the selector
    all agree on one cell, and the second one is a blank that its picture may fill.
    """
    return left(text.replace(_EMOJI_PRESENTATION, ""), 2)


def narrow(value: str) -> str:
    """A formatted value in fewer cells: `12.3 MiB/s` as `12.3M/s`."""
    return value.replace(" ", "").replace("iB", "")


def scale(values: Sequence[float], *, percent: bool, critical: float | None) -> Scale:
    """Lower and upper end of a scale that holds zero: percentages keep theirs, so that a calm machine looks calm."""
    finite = [value for value in values if math.isfinite(value)]
    highest, lowest = max(finite, default=0.0), min(finite, default=0.0)
    if percent:
        return min(lowest, 0.0), max(highest, min(100.0, critical if critical else 100.0))
    if lowest < 0:
        return lowest * _HEADROOM, max(highest * _HEADROOM, -lowest * _HEADROOM)
    return 0.0, highest * _HEADROOM or 1.0


def sparkline(values: Sequence[float], width: int, ends: Scale) -> str:
    """The last `width` values as blocks, newest at the right; a gap is a blank."""
    low, top = ends
    shown = values[-width:] if width > 0 else []
    return "".join(_block((value - low) / (top - low)) for value in shown).rjust(max(0, width))


def fitted(values: Sequence[float], points: int) -> list[float]:
    """At most `points` values, each the mean of its share of the whole; a share without values stays a gap."""
    count = len(values)
    if count <= points or points <= 0:
        return list(values)
    shares = [values[index * count // points : (index + 1) * count // points] for index in range(points)]
    return [_mean([value for value in share if math.isfinite(value)]) for share in shares]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _block(share: float) -> str:
    if not math.isfinite(share):
        return " "
    return _BLOCKS[min(7, max(0, math.ceil(share * 8) - 1))]
