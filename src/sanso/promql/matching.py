"""Matching series of two vectors: one to one, one to many, and the set operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Mask, absent
from sanso.model.labels import NAME, Labels, labels_of, render, without
from sanso.promql.operators import COMPARISON, compared, computed
from sanso.promql.values import Vector, blank, present, settled

Signature: TypeAlias = Callable[[Labels], Labels]


@dataclass(frozen=True)
class Matching:
    """How series find each other.

    Attributes:
        labels: Of `on` or `ignoring`.
        on: Whether they are those of `on`.
        many: The side that may have several: "left" (group_left), "right" (group_right) or neither.
        include: Labels that the many take from the one.
        as_bool: Whether a comparison answers 0 or 1.
    """

    labels: tuple[str, ...] = ()
    on: bool = False
    many: Literal["left", "right", ""] = ""
    include: tuple[str, ...] = ()
    as_bool: bool = False

    def signature(self) -> Signature:
        """What of a label set must be alike."""
        names = frozenset(self.labels)
        if self.on:
            return lambda labels: tuple(pair for pair in labels if pair[0] in names)
        return lambda labels: without(labels, names | {NAME})


def matched(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """Arithmetic or comparison between vectors.

    Raises:
        QueryError: Several series match where one may.
    """
    swapped = matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    signature = matching.signature()
    ones = _ones(one, signature, matching)
    if not matching.many:
        _ones(many, signature, matching)
    labels: list[Labels] = []
    rows: list[Floats] = []
    for series, values in zip(many.labels, many.values, strict=True):
        found = ones.get(signature(series))
        if found is None:
            continue
        for other_labels, other in found:
            pair = (other, values) if swapped else (values, other)
            labels.append(_result_labels(op, series, other_labels, matching))
            rows.append(_combined(op, *pair, as_bool=matching.as_bool, left=pair[0]))
    steps = left.values.shape[1]
    values = np.array(rows) if rows else absent(0, steps)
    try:
        return settled(labels, values)
    except QueryError as error:
        raise QueryError("multiple matches for labels: grouping labels must ensure unique matches", "execution") from (
            error
        )


def intersection(left: Vector, right: Vector, matching: Matching) -> Vector:
    """`and`: what stands left where right has its like."""
    return _filtered(left, right, matching, wanted=True)


def difference(left: Vector, right: Vector, matching: Matching) -> Vector:
    """`unless`: what stands left where right has not its like."""
    return _filtered(left, right, matching, wanted=False)


def union(left: Vector, right: Vector, matching: Matching) -> Vector:
    """`or`: everything left, and what right has that left has not."""
    added = _filtered(right, left, matching, wanted=False)
    return settled([*left.labels, *added.labels], np.concatenate([left.values, added.values]))


def _filtered(kept: Vector, other: Vector, matching: Matching, *, wanted: bool) -> Vector:
    signature = matching.signature()
    there: dict[Labels, Mask] = {}
    for labels, mask in zip(other.labels, present(other.values), strict=True):
        name = signature(labels)
        there[name] = there[name] | mask if name in there else mask
    nowhere = np.zeros(kept.values.shape[1], dtype=bool)
    masks = [there.get(signature(labels), nowhere) for labels in kept.labels]
    if not masks:
        return kept
    mask = np.array(masks)
    return Vector(kept.labels, blank(kept.values, present(kept.values) & (mask if wanted else ~mask)))


def _ones(one: Vector, signature: Signature, matching: Matching) -> dict[Labels, list[tuple[Labels, Floats]]]:
    """The series of the one side by signature; several of a signature must never meet at a step."""
    ones: dict[Labels, list[tuple[Labels, Floats]]] = {}
    for labels, values in zip(one.labels, one.values, strict=True):
        name = signature(labels)
        for other_labels, other in ones.get(name, ()):
            if (present(values) & present(other)).any():
                side = "left" if matching.many == "right" else "right"
                raise QueryError(
                    f"found duplicate series for the match group {render(name)} on the {side} hand-side of the "
                    f"operation: [{render(labels)}, {render(other_labels)}];many-to-many matching not allowed: "
                    "matching labels must be unique on one side",
                    "execution",
                )
        ones.setdefault(name, []).append((labels, values))
    return ones


def _combined(op: str, first: Floats, second: Floats, *, as_bool: bool, left: Floats) -> Floats:
    held = present(first) & present(second)
    if op not in COMPARISON:
        return blank(computed(op, first, second), held)
    kept = compared(op, first, second)
    return blank(kept.astype(float), held) if as_bool else blank(left, held & kept)


def _result_labels(op: str, many: Labels, one: Labels, matching: Matching) -> Labels:
    keep_name = op in COMPARISON and not matching.as_bool
    labels = many if keep_name else without(many, (NAME,))
    if not matching.many:
        if matching.on:
            return tuple(pair for pair in labels if pair[0] in matching.labels)
        return without(labels, matching.labels)
    if not matching.include:
        return labels
    found = dict(one)
    return labels_of({**dict(labels), **{name: found.get(name, "") for name in matching.include}})
