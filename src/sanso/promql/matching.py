"""Matching series of two vectors: one to one, one to many, and the set operators."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Mask
from sanso.model.labels import NAME, Labels, derived, escape, labels_of, without
from sanso.promql.histograms.combining import Side
from sanso.promql.histograms.placed import nowhere
from sanso.promql.operators import COMPARISON, Say, compared, computed, silent, with_histograms
from sanso.promql.tree import Matching
from sanso.promql.values import DUPLICATES, Vector, blank, empty, joined, nameless, present, settled

Signature: TypeAlias = Callable[[Labels], Labels]

_ONE_TO_ONE = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
_CLASSIC = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
"""A label's name that needs no quotes."""
_AMBIGUOUS = "multiple matches for labels: grouping labels must ensure unique matches"


def signatures_of(labels: list[Labels], matching: Matching) -> list[Labels]:
    """What of each label set must be alike."""
    key = ("signatures", matching.on, matching.labels)
    return derived(labels, key, lambda sets: list(map(_signature(matching), sets)))


def _signature(matching: Matching) -> Signature:
    names = frozenset(matching.labels)
    if matching.on:
        return lambda labels: tuple([pair for pair in labels if pair[0] in names])
    if not names:
        return nameless
    dropped = names | {NAME}
    return lambda labels: without(labels, dropped)


def matched(op: str, left: Vector, right: Vector, matching: Matching, say: Say = silent) -> Vector:
    """Arithmetic or comparison between vectors; `say` hears of pairs that cannot be combined.

    Raises:
        QueryError: Several series match where one may.
    """
    steps = left.values.shape[1]
    if matching.fill != (None, None):
        left, right = _filled(left, right, matching)
    if not left.labels or not right.labels:
        return empty(steps)  # whatever is wrong with the other side, nothing is matched
    swapped = matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    signatures = signatures_of(many.labels, matching)
    ones = _ones(one, many, matching)
    pairs = [(row, other) for row, name in enumerate(signatures) for other in ones.get(name, ())]
    if not pairs:
        return empty(steps)
    rows, others = np.array(pairs, dtype=np.intp).T
    first, second = (one.values[others], many.values[rows]) if swapped else (many.values[rows], one.values[others])
    labels = [_result_labels(op, many.labels[row], one.labels[other], matching) for row, other in pairs]
    found = Vector(labels, _combined(op, first, second, as_bool=matching.as_bool))
    if many.histograms is not None or one.histograms is not None:
        sides = (_side(one, others), _side(many, rows)) if swapped else (_side(many, rows), _side(one, others))
        found = with_histograms(op, found, *sides, as_bool=matching.as_bool, say=say)
    if not matching.many:
        # Before a comparison filters: whether a question is right must not hang on today's values.
        _check_pairs([signatures[row] for row, _ in pairs], lambda: many.held[rows] & one.held[others])
    try:
        return settled(found)
    except QueryError as error:
        alike = len({(signatures[row], name) for (row, _), name in zip(pairs, labels, strict=True)}) < len(pairs)
        raise QueryError(_AMBIGUOUS if alike else DUPLICATES, "execution") from error


def intersection(left: Vector, right: Vector, matching: Matching) -> Vector:
    """`and`: what stands left where right has its like."""
    return _filtered(left, right, matching, wanted=True)


def difference(left: Vector, right: Vector, matching: Matching) -> Vector:
    """`unless`: what stands left where right has not its like."""
    return _filtered(left, right, matching, wanted=False)


def union(left: Vector, right: Vector, matching: Matching) -> Vector:
    """`or`: everything left, and what right has that left has not."""
    added = _filtered(right, left, matching, wanted=False)
    return settled(joined([left, added], left.values.shape[1]))


def _filtered(kept: Vector, other: Vector, matching: Matching, *, wanted: bool) -> Vector:
    if not kept.labels:
        return kept
    numbers: dict[Labels, int] = {}
    member = [numbers.setdefault(name, len(numbers)) for name in signatures_of(other.labels, matching)]
    there = np.zeros((len(numbers) + 1, kept.values.shape[1]), dtype=bool)  # the last row: nothing like it
    np.logical_or.at(there, np.array(member, dtype=np.intp), other.held)
    mask = there[[numbers.get(name, -1) for name in signatures_of(kept.labels, matching)]]
    return kept.where(mask if wanted else ~mask)


def _filled(left: Vector, right: Vector, matching: Matching) -> tuple[Vector, Vector]:
    """Both sides, with a series of the fill value where one has nothing that the other's could match."""
    return (
        _completed(left, right, matching, matching.fill[0]),
        _completed(right, left, matching, matching.fill[1]),
    )


def _completed(side: Vector, other: Vector, matching: Matching, value: float | None) -> Vector:
    if value is None:
        return side
    alone = _filtered(other, side, matching, wanted=False)
    numbers: dict[Labels, int] = {}
    member = [numbers.setdefault(name, len(numbers)) for name in signatures_of(alone.labels, matching)]
    there = np.zeros((len(numbers), side.values.shape[1]), dtype=bool)
    np.logical_or.at(there, np.array(member, dtype=np.intp), alone.held)
    added = blank(np.full(there.shape, value), there)
    return joined([side, Vector(list(numbers), added)], side.values.shape[1])


def _ones(one: Vector, many: Vector, matching: Matching) -> dict[Labels, list[int]]:
    """Rows of the one side by signature; several of a signature must not meet at a step that has anything to match."""
    ones: dict[Labels, list[int]] = {}
    for row, name in enumerate(signatures_of(one.labels, matching)):
        ones.setdefault(name, []).append(row)
    if len(ones) == len(one.labels):
        return ones
    asked, there = many.held.any(axis=0), one.held
    for name, rows in ones.items():
        held = there[rows] & asked
        if len(rows) > 1 and (held.sum(axis=0) > 1).any():
            step = int(np.argmax(held.sum(axis=0) > 1))
            earlier, later, *_ = [rows[place] for place in np.flatnonzero(held[:, step]).tolist()]
            side = "left" if matching.many == "right" else "right"
            raise QueryError(
                f"found duplicate series for the match group {_braced(name)} on the {side} hand-side of the "
                f"operation: [{_braced(one.labels[later])}, {_braced(one.labels[earlier])}];many-to-many matching "
                "not allowed: matching labels must be unique on one side",
                "execution",
            )
    return ones


def _braced(labels: Labels) -> str:
    """Labels as Prometheus shows them in errors."""
    shown = ((name if _CLASSIC.fullmatch(name) else f'"{escape(name)}"', escape(value)) for name, value in labels)
    return "{" + ", ".join(f'{name}="{value}"' for name, value in shown) + "}"


def _check_pairs(signatures: list[Labels], both: Callable[[], Mask]) -> None:
    """One to one: no signature may have two pairs of which `both` sides are there at a step.

    Raises:
        QueryError: One does.
    """
    if len(set(signatures)) == len(signatures):
        return
    rows: dict[Labels, list[int]] = {}
    for row, name in enumerate(signatures):
        rows.setdefault(name, []).append(row)
    held = both()
    for places in rows.values():
        if (held[places].sum(axis=0) > 1).any():
            raise QueryError(_ONE_TO_ONE, "execution")


def _side(vector: Vector, rows: NDArray[np.intp]) -> Side:
    """The rows of a vector that are one side of pairs."""
    values = vector.values[rows]
    histograms = nowhere(*values.shape) if vector.histograms is None else vector.histograms.rows(rows)
    return Side(values, present(values), histograms)


def _combined(op: str, first: Floats, second: Floats, *, as_bool: bool) -> Floats:
    held = present(first) & present(second)
    if op not in COMPARISON:
        return blank(computed(op, first, second), held)
    kept = compared(op, first, second)
    return blank(kept.astype(float), held) if as_bool else blank(first, held & kept)


def _result_labels(op: str, many: Labels, one: Labels, matching: Matching) -> Labels:
    keep_name = op in COMPARISON and not matching.as_bool
    labels = many if keep_name else nameless(many)
    if not matching.many:
        if matching.on:
            return tuple([pair for pair in labels if pair[0] in matching.labels])
        return without(labels, matching.labels) if matching.labels else labels
    if not matching.include:
        return labels
    found = dict(one)
    return labels_of({**dict(labels), **{name: found.get(name, "") for name in matching.include}})
