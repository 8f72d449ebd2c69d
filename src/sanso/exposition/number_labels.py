"""Labels whose values are numbers, written in one way: `le` of histograms and `quantile` of summaries.

As in Prometheus 3, where such a label stands is told by the last type that the page gave, and what is written is
OpenMetrics' canonical form: `le="1"` becomes `le="1.0"`. So the bounds of one program have one spelling, whichever
format it is scraped in.
"""

from __future__ import annotations

import math
import re

from sanso.exposition.formats import canonical_float
from sanso.model.labels import Labels, value_of

NUMBER_LABELS = {"histogram": "le", "summary": "quantile"}
"""By the type of the family."""
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEXADECIMAL = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+")
_SPECIAL = re.compile(r"[+-]?inf(?:inity)?|nan", re.IGNORECASE)


def spelled(labels: Labels, name: str, *, strict: bool) -> Labels:
    """The labels with the value of the label `name` in its canonical form, where it is there and a number.

    Args:
        labels: Of a series.
        name: Of the label; empty for none.
        strict: OpenMetrics: infinity that is not written as the standard has it is left for the judge to refuse.
    """
    value = value_of(labels, name) if name else ""
    text = _canonical(value, strict=strict)
    if text == value:
        return labels
    return tuple([(key, text) if key == name else (key, held) for key, held in labels])


def _canonical(text: str, *, strict: bool) -> str:
    """A number as OpenMetrics writes it; what is none, or more than a float holds, as it is."""
    try:
        if _DECIMAL.fullmatch(text):
            number = float(text)
            return canonical_float(number) if math.isfinite(number) else text
        if _SPECIAL.fullmatch(text) and (not strict or text.startswith("-")):
            return canonical_float(float(text))
        return canonical_float(float.fromhex(text)) if _HEXADECIMAL.fullmatch(text) and not strict else text
    except OverflowError:
        return text
