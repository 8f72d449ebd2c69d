"""What an answer says beside its values: Prometheus's warnings and infos, collected for one question."""

from __future__ import annotations

import math
from decimal import Decimal

from sanso.promql.histograms.notes import Note
from sanso.promql.messages import position
from sanso.promql.tree import NOWHERE


class Annotations:
    """The annotations of one question, each once, in the order they came up.

    Args:
        text: The question, for line and column.
    """

    def __init__(self, text: str = "") -> None:
        self._text = text
        self._warnings: dict[str, None] = {}
        self._infos: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings: the answer may be wrong."""
        return tuple(self._warnings)

    @property
    def infos(self) -> tuple[str, ...]:
        """Infos: the question may be wrong."""
        return tuple(self._infos)

    def warn(self, message: str, place: int = NOWHERE) -> None:
        """Say a warning about the part of the question that begins at a place."""
        self._warnings[f"PromQL warning: {message}{self._at(place)}"] = None

    def info(self, message: str, place: int = NOWHERE) -> None:
        """Say an info about the part of the question that begins at a place."""
        self._infos[f"PromQL info: {message}{self._at(place)}"] = None

    def say(self, note: Note, place: int = NOWHERE) -> None:
        """Say a note about histograms."""
        (self.warn if note.level == "warning" else self.info)(note.text, place)

    def bad_quantile(self, value: float, place: int) -> None:
        """Warn of a quantile that is none."""
        self.warn(f"quantile value should be between 0 and 1, got {go_number(value)}", place)

    def _at(self, place: int) -> str:
        where = position(self._text, place)
        return f" ({where})" if where else ""


def for_metric(name: str) -> str:
    """The end of a message that is about a metric; nothing where it has no name."""
    return f' for metric name "{name}"' if name else ""


def go_number(value: float) -> str:
    """A number as Go's `%g` shows it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value).removesuffix(".0")
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return text
    mantissa, _, exponent = f"{Decimal(text).normalize():e}".partition("e")
    return f"{mantissa}e{int(exponent):+03d}"
