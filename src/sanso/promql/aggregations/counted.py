"""count_values: how often each value occurs in a group."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.control import QueryControl
from sanso.model.errors import QueryError
from sanso.model.frame import Floats
from sanso.model.labels import Labels, labels_of
from sanso.promql.aggregations.groups import Grouping
from sanso.promql.histograms.text import described
from sanso.promql.lexical import is_text, quoted
from sanso.promql.values import Vector, blank, empty, present

Places: TypeAlias = NDArray[np.intp]


def count_values(vector: Vector, name_of: Grouping, label: str, control: QueryControl) -> Vector:
    """How often each value occurs: one series a value, named by `label`, or by nothing where `without` leaves it out.

    Raises:
        QueryError: That cannot be the name of a label, or there are too many values to count them at every step.
    """
    if not label or not is_text(label):
        raise QueryError(f"invalid label name {quoted(label)}", "execution")
    rows, steps, which, texts = _texts(vector)
    if not len(rows):
        return empty(vector.values.shape[1])
    numbers: dict[Labels, int] = {}
    groups = np.array([numbers.setdefault(name_of(labels), len(numbers)) for labels in vector.labels], dtype=np.int64)
    names = [dict(labels) for labels in numbers]
    left_out = not name_of.by and label in name_of.names

    def named(group: dict[str, str], text: str) -> Labels:
        return labels_of(group if left_out else {**group, label: text})

    places: dict[Labels, int] = {}
    pairs, inverse = np.unique(groups[rows] * len(texts) + which, return_inverse=True)
    counted = np.array(
        [
            places.setdefault(named(names[pair // len(texts)], texts[pair % len(texts)]), len(places))
            for pair in pairs.tolist()
        ],
        dtype=np.intp,
    )
    control.hold(len(places) * vector.values.shape[1] * 2 + vector.values.size)
    totals: Floats = np.zeros((len(places), vector.values.shape[1]))
    np.add.at(totals, (counted[inverse.ravel()], steps), 1.0)
    return Vector(list(places), blank(totals, totals > 0))


def _texts(vector: Vector) -> tuple[Places, Places, Places, list[str]]:
    """The rows, steps and texts of all values; a text is named by its number."""
    rows, steps = np.nonzero(present(vector.values))
    # Values are told apart by their bits, but for NaN: Prometheus tells them apart by their text.
    values = vector.values[rows, steps]
    distinct, which = np.unique(np.where(np.isnan(values), np.nan, values).view(np.int64), return_inverse=True)
    which, texts = which.ravel(), [go_float(value) for value in distinct.view(np.float64).tolist()]
    if vector.histograms is None:
        return rows, steps, which, texts
    more_rows, more_steps = np.nonzero(vector.histograms.held)
    cells, more = np.unique(vector.histograms.at[more_rows, more_steps], return_inverse=True)
    table = vector.histograms.table
    more_texts = [described(table.histogram(cell)) for cell in cells.tolist()]
    return (
        np.concatenate([rows, more_rows]), np.concatenate([steps, more_steps]),
        np.concatenate([which, more.ravel() + len(texts)]), texts + more_texts,
    )  # fmt: skip


def go_float(value: float) -> str:
    """A number as Go prints it: the shortest that reads back, without an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    return np.format_float_positional(value, trim="-") if "e" in text else text.removesuffix(".0")
