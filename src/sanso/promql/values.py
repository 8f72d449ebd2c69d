"""What a node of the tree yields: an instant vector or a scalar over all steps, range samples, or a string."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Frame, Mask, Times, absent, is_absent, is_stale, is_whole
from sanso.model.labels import NAME, Labels, LabelSets, derived, without
from sanso.promql.histograms.placed import Histograms, nowhere, stacked
from sanso.promql.histograms.reading import HistogramFrame
from sanso.promql.row_blocks import row_blocks


@dataclass(frozen=True)
class Vector:
    """An instant vector at every step.

    Attributes:
        labels: Of its series, N.
        values: ABSENT where a series has none, or has a histogram: [N, S].
        histograms: The histograms of the same series; None where none has any.
    """

    labels: list[Labels]
    values: Floats
    histograms: Histograms | None = None

    @property
    def held(self) -> Mask:
        """Where there is a value of either kind: [N, S]."""
        if self.histograms is None:
            return present(self.values)
        return present(self.values) | self.histograms.held

    @property
    def size(self) -> int:
        """How many samples it takes in memory; a histogram is as many as it has buckets."""
        return self.values.size + (0 if self.histograms is None else self.histograms.table.buckets.size)

    def named(self, labels: list[Labels]) -> Vector:
        """The same under other label sets."""
        return replace(self, labels=labels)

    def rows(self, rows: list[int]) -> Vector:
        """Some of the series, in the order asked for."""
        histograms = None if self.histograms is None else self.histograms.rows(rows)
        return Vector([self.labels[row] for row in rows], np.ascontiguousarray(self.values[rows]), histograms)

    def where(self, mask: Mask) -> Vector:
        """Values of either kind only where the mask is set; it broadcasts."""
        histograms = None if self.histograms is None else self.histograms.where(mask)
        return Vector(self.labels, blank(self.values, mask & present(self.values)), histograms)

    def floats(self) -> Vector:
        """Without histograms."""
        return self if self.histograms is None else replace(self, histograms=None)


@dataclass(frozen=True)
class Scalar:
    """A number at every step: values [S]."""

    values: Floats

    @property
    def size(self) -> int:
        """How many samples it takes in memory."""
        return self.values.size


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
        histograms: Series with histograms, which are not among the frames.
    """

    frames: list[Frame]
    starts: Times
    ends: Times
    weights: Sequence[Floats | None] = ()
    histograms: Sequence[HistogramFrame] = ()


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
        rising: That no series ever falls, where it is known.
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
    rising: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Series and steps."""
        return len(self.labels), len(self.ends)


def ranged(vector: Vector, steps: Times, starts: Times, ends: Times) -> Samples:
    """A vector's own values as a range vector; a series with floats and histograms stands in a frame of its own.

    A histogram may be seen at several steps or at none, so what it knows of a reset before it holds no longer.
    """
    if vector.histograms is None:
        return Samples([Frame(vector.labels, steps, np.ascontiguousarray(vector.values))], starts, ends)
    floats, natives = present(vector.values).any(axis=1), vector.histograms.held.any(axis=1)
    table, frames = vector.histograms.table.without_resets(), []
    for rows in ([row] for row in np.flatnonzero(floats & natives).tolist()):
        both = vector.rows(rows)
        frames.append(HistogramFrame(both.labels, steps, vector.histograms.at[rows], table, both.values))
    pure, plain = np.flatnonzero(natives & ~floats).tolist(), vector.rows(np.flatnonzero(~natives).tolist())
    frames.append(HistogramFrame([vector.labels[row] for row in pure], steps, vector.histograms.at[pure], table))
    return Samples([Frame(plain.labels, steps, plain.values)], starts, ends, (), frames)


def windows(samples: Samples, *, counters: bool = False) -> Iterator[Window]:
    """The windows of a range vector; series of one frame with equal gaps share theirs.

    Args:
        samples: The range vector.
        counters: That most series are expected to rise only.
    """
    for number, frame in enumerate(samples.frames):
        if not frame.labels:
            continue
        weights = samples.weights[number] if samples.weights else None
        if counters and _rising(frame.values):
            yield replace(_window(samples, frame, weights), rising=True)
            continue
        if is_whole(frame.values) or not (hole := is_absent(frame.values) | is_stale(frame.values)).any():
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


def _rising(values: Floats) -> bool:
    """Whether each row never falls, and so has no hole: one look at each sample answers both."""
    length = values.shape[1]
    if length < 2:
        return False
    for rows in row_blocks(values):
        in_a_row = values[rows].ravel()
        rising = in_a_row[1:] >= in_a_row[:-1]
        rising[length - 1 :: length] = True  # these are of two series
        if not rising.all():
            return False
    return True


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
    labels = _chained([v.labels for v in vectors])
    return Vector(labels, np.concatenate([v.values for v in vectors]), _stacked(vectors))


def _chained(lists: list[list[Labels]]) -> list[Labels]:
    """One list of several; the same one where the same come again."""
    first, *others = lists

    def chain(_: list[Labels]) -> tuple[list[list[Labels]], LabelSets]:
        return others, LabelSets(itertools.chain.from_iterable(lists))  # held, so that no other list has their ids

    return derived(first, ("chained", *map(id, others)), chain)[1]


def _stacked(vectors: Sequence[Vector]) -> Histograms | None:
    if all(vector.histograms is None for vector in vectors):
        return None
    return stacked([nowhere(*v.values.shape) if v.histograms is None else v.histograms for v in vectors])


def drop_name(vector: Vector) -> Vector:
    """Without metric names."""
    return settled(vector.named(derived(vector.labels, "nameless", _nameless)))


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


def settled(vector: Vector) -> Vector:
    """The vector with unique label sets: series that became alike but never meet at a step are one.

    Raises:
        QueryError: Two of them have a value at the same step.
    """
    if unique(vector.labels):
        return vector
    places: dict[Labels, int] = {}
    rows: list[int] = []
    out, held = vector.values.copy(), vector.held
    at = None if vector.histograms is None else vector.histograms.at.copy()
    for row, name in enumerate(vector.labels):
        if name not in places:
            places[name] = row
            rows.append(row)
            continue
        kept, fresh = places[name], held[row]
        if (fresh & held[kept]).any():
            raise QueryError(DUPLICATES, "execution")
        np.copyto(out[kept], out[row], where=fresh)
        if at is not None:
            np.copyto(at[kept], at[row], where=fresh)
        held[kept] |= fresh
    histograms = None if at is None or vector.histograms is None else Histograms(vector.histograms.table, at)
    return Vector(vector.labels, out, histograms).rows(rows)


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
    if is_whole(vector.values):  # so none has a histogram either
        return vector.floats()
    if vector.histograms is not None and not vector.histograms.held.any():
        vector = vector.floats()
    held = vector.held.any(axis=1)
    if held.all():
        return vector
    return vector.rows(np.flatnonzero(held).tolist())
