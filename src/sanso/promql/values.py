"""What a node of the tree yields: an instant vector or a scalar over all steps, range samples, or a string."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Frame, Mask, Times, absent, is_absent, is_stale
from sanso.model.labels import NAME, Labels, LabelSets, derived, without


@dataclass(frozen=True)
class Vector:
    """An instant vector at every step: values [N, S], ABSENT where a series has none."""

    labels: list[Labels]
    values: Floats


@dataclass(frozen=True)
class Scalar:
    """A number at every step: values [S]."""

    values: Floats


@dataclass(frozen=True)
class Text:
    """A string."""

    text: str


@dataclass(frozen=True)
class Samples:
    """A range vector: samples, and the window of each step (left-open, right-closed).

    Attributes:
        frames: The samples.
        starts: Where windows begin, ms, shape [S]; a sample at this very time is outside.
        ends: Where windows end, shape [S].
        weights: For each frame, where it was asked for and the frame is coarse: how many raw samples each stands for.
    """

    frames: list[Frame]
    starts: Times
    ends: Times
    weights: Sequence[Floats | None] = ()


Value: TypeAlias = Vector | Scalar | Samples | Text


@dataclass(frozen=True)
class Window:
    """Series of a frame that have samples at the same times, without gaps.

    Attributes:
        labels: Of the series, N.
        times: ms, shape [T].
        values: Shape [N, T]; no absent and no stale cell.
        first: The first sample of each step's window, shape [S].
        last: One past the last, shape [S].
        starts: As in `Samples`.
        ends: As in `Samples`.
        coarse_ms: The resolution of coarse samples; 0 where all are raw.
        weights: How many raw samples each stands for, shape [N, T]; None where that was not asked for or all are raw.
    """

    labels: list[Labels]
    times: Times
    values: Floats
    first: Times
    last: Times
    starts: Times
    ends: Times
    coarse_ms: int = 0
    weights: Floats | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Series and steps."""
        return len(self.labels), len(self.ends)


def windows(samples: Samples) -> Iterator[Window]:
    """The windows of a range vector; series of one frame with equal gaps share theirs."""
    for number, frame in enumerate(samples.frames):
        weights = samples.weights[number] if samples.weights else None
        hole = is_absent(frame.values) | is_stale(frame.values)
        if not hole.any():
            yield _window(samples, frame, weights)
            continue
        for rows in _alike(hole):
            held = ~hole[rows[0]]
            if held.any():
                part = Frame(
                    [frame.labels[row] for row in rows],
                    frame.timeline[held],
                    np.ascontiguousarray(frame.values[rows][:, held]),
                    frame.coarse_ms,
                )
                yield _window(samples, part, None if weights is None else weights[rows][:, held])


def _window(samples: Samples, frame: Frame, weights: Floats | None) -> Window:
    times = frame.timeline
    first = np.searchsorted(times, samples.starts, "right")
    last = np.maximum(np.searchsorted(times, samples.ends, "right"), first)
    return Window(
        frame.labels, times, frame.values, first, last, samples.starts, samples.ends, frame.coarse_ms, weights
    )


def _alike(masks: Mask) -> list[list[int]]:
    """Rows grouped by equal masks."""
    groups: dict[bytes, list[int]] = {}
    for row, mask in enumerate(np.packbits(masks, axis=1)):
        groups.setdefault(mask.tobytes(), []).append(row)
    return list(groups.values())


def empty(steps: int) -> Vector:
    """An instant vector without series."""
    return Vector([], absent(0, steps))


def present(values: Floats) -> Mask:
    """Where there is a value."""
    return ~is_absent(values)


def blank(values: Floats, mask: Mask) -> Floats:
    """The values, ABSENT where the mask is not set; the mask broadcasts."""
    out = absent(*values.shape)
    np.copyto(out, values, where=mask)
    return out


def joined(vectors: Sequence[Vector], steps: int) -> Vector:
    """All series of several vectors."""
    if not vectors:
        return empty(steps)
    if len(vectors) == 1:
        return vectors[0]
    return Vector(_chained([v.labels for v in vectors]), np.concatenate([v.values for v in vectors]))


def _chained(lists: list[list[Labels]]) -> list[Labels]:
    """One list of several; the same one where the same come again."""
    first, *others = lists

    def chain(_: list[Labels]) -> tuple[list[list[Labels]], LabelSets]:
        return others, LabelSets(itertools.chain.from_iterable(lists))  # held, so that no other list has their ids

    return derived(first, ("chained", *map(id, others)), chain)[1]


def drop_name(vector: Vector) -> Vector:
    """Without metric names."""
    return settled(derived(vector.labels, "nameless", _nameless), vector.values)


def nameless(labels: Labels) -> Labels:
    """Labels without the metric name."""
    # The name sorts before every label that begins with a letter, so it nearly always stands first.
    if labels and labels[0][0] == NAME:
        return labels[1:]
    return without(labels, (NAME,))


def unique(labels: list[Labels]) -> bool:
    """Whether no two label sets are alike."""
    return derived(labels, "unique", lambda sets: len(set(sets)) == len(sets))


def _nameless(labels: list[Labels]) -> LabelSets:
    return LabelSets(map(nameless, labels))


DUPLICATES = "vector cannot contain metrics with the same labelset"


def settled(labels: list[Labels], values: Floats) -> Vector:
    """A vector whose label sets are unique: series that became alike but never meet at a step are one.

    Raises:
        QueryError: Two of them have a value at the same step.
    """
    if unique(labels):
        return Vector(labels, values)
    places: dict[Labels, int] = {}
    rows: list[int] = []
    out = values.copy()
    for row, name in enumerate(labels):
        if name not in places:
            places[name] = row
            rows.append(row)
            continue
        kept = out[places[name]]
        fresh = present(out[row])
        if (fresh & present(kept)).any():
            raise QueryError(DUPLICATES, "execution")
        np.copyto(kept, out[row], where=fresh)
    return Vector([labels[row] for row in rows], np.ascontiguousarray(out[rows]))


def distinct(vector: Vector) -> Vector:
    """The vector, whose label sets must be unique even if series never meet.

    Raises:
        QueryError: They are not.
    """
    if not unique(vector.labels):
        raise QueryError(DUPLICATES, "execution")
    return vector


def trimmed(vector: Vector) -> Vector:
    """Without series that have no value at any step."""
    held = present(vector.values).any(axis=1)
    if held.all():
        return vector
    rows = np.flatnonzero(held).tolist()
    return Vector([vector.labels[row] for row in rows], np.ascontiguousarray(vector.values[rows]))
