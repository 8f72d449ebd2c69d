"""count_values: how often each value occurs in a group."""

from __future__ import annotations

import numpy as np

from sanso.model.errors import QueryError
from sanso.model.frame import Floats
from sanso.model.labels import Labels, labels_of
from sanso.promql.aggregations.groups import Grouping
from sanso.promql.lexical import is_text, quoted
from sanso.promql.values import Vector, blank, empty, present


def count_values(vector: Vector, name_of: Grouping, label: str) -> Vector:
    """How often each value occurs: one series a value, named by `label`.

    Raises:
        QueryError: That cannot be the name of a label.
    """
    if not label or not is_text(label):
        raise QueryError(f"invalid label name {quoted(label)}", "execution")
    rows, steps = np.nonzero(present(vector.values))
    if not len(rows):
        return empty(vector.values.shape[1])
    # Values are told apart by their bits, but for NaN: Prometheus tells them apart by their text.
    values = vector.values[rows, steps]
    distinct, which = np.unique(values, return_inverse=True)
    texts = [go_float(value) for value in distinct.tolist()]
    numbers: dict[Labels, int] = {}
    groups = np.array([numbers.setdefault(name_of(labels), len(numbers)) for labels in vector.labels], dtype=np.int64)
    names = [dict(labels) for labels in numbers]
    places: dict[Labels, int] = {}
    pairs, inverse = np.unique(groups[rows] * len(texts) + which.ravel(), return_inverse=True)
    counted = np.array(
        [
            places.setdefault(labels_of({**names[pair // len(texts)], label: texts[pair % len(texts)]}), len(places))
            for pair in pairs.tolist()
        ],
        dtype=np.intp,
    )
    totals: Floats = np.zeros((len(places), vector.values.shape[1]))
    np.add.at(totals, (counted[inverse.ravel()], steps), 1.0)
    return Vector(list(places), blank(totals, totals > 0))


def go_float(value: float) -> str:
    """A number as Go prints it: the shortest that reads back, without an exponent."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")
