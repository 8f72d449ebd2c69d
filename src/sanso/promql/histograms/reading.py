"""Histograms out of frames: bundles of columns become series of histograms, and leave the frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sanso.model.frame import Floats, Frame, Mask, Times, absent, is_absent, is_stale
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher
from sanso.model.native_histogram import COARSEST_SCHEMA, COMPONENT, CUSTOM_SCHEMA, FINEST_SCHEMA, plain
from sanso.promql.histograms.bundles import Bundles, Custom, bundles, parts_in, parts_of_all
from sanso.promql.histograms.placed import NONE
from sanso.promql.histograms.table import MIDDLE, Ints, Layout, Table

ENDED = -2
"""The series ended here: a stale marker."""


@dataclass(frozen=True)
class HistogramFrame:
    """Series with histograms that share a timeline.

    Attributes:
        labels: As people know the series, N.
        timeline: Milliseconds, rising: [T].
        at: The histogram of each sample in the table, NONE where there is none, ENDED at a stale marker: [N, T].
        table: The histograms.
        values: Samples that are plain floats, of series that have both; None where no series has: [N, T].
        coarse_ms: The resolution of its coarsest samples; 0 where all are raw.
    """

    labels: list[Labels]
    timeline: Times
    at: Ints
    table: Table
    values: Floats | None = None
    coarse_ms: int = 0


def without_component(matchers: Sequence[Matcher]) -> tuple[Matcher, ...] | None:
    """Matchers as the store should get them: nobody selects parts; None where no series can match."""
    if not any(matcher.name == COMPONENT for matcher in matchers):
        return tuple(matchers)
    if not all(matcher.accepts(()) for matcher in matchers if matcher.name == COMPONENT):
        return None
    return tuple(matcher for matcher in matchers if matcher.name != COMPONENT)


def separated(
    frames: list[Frame], steps: Times | None = None, hold: Callable[[int], None] = lambda _: None
) -> tuple[list[Frame], list[HistogramFrame]]:
    """Frames without parts of histograms, and the histograms.

    A series that is a float at some times and a histogram at others is in the second list only.

    Args:
        frames: As a reader gives them.
        steps: The only times for which the newest histograms are needed; None where all are.
        hold: Told how many cells a table of histograms is about to take; it raises where these are too many.
    """
    found = [bundles(frame.labels) for frame in frames]
    if not any(found):
        return frames, []
    rest = [_others(frame, known) if known else frame for frame, known in zip(frames, found, strict=True)]
    whole = [(frame, known) for frame, known in zip(frames, found, strict=True) if known]
    if len(whole) > 1:
        whole = _together(_side_by_side(whole))
    histograms = [_histograms(frame, known, steps, hold) for frame, known in whole]
    return _mixed([frame for frame in rest if frame.labels], histograms)


def _others(frame: Frame, known: Bundles) -> Frame:
    rows, labels = known.others
    return replace(frame, labels=labels, values=frame.values[rows])


def _picked(frame: Frame, rows: Ints) -> Frame:
    if len(rows) == len(frame.labels):
        return frame
    return replace(frame, labels=[frame.labels[row] for row in rows.tolist()], values=frame.values[rows])


def _side_by_side(whole: list[tuple[Frame, Bundles]]) -> list[tuple[Frame, Bundles]]:
    """The same, but frames of one timeline as one: a store may hold each series, or parts of it, in a frame apart."""
    alike: dict[tuple[bytes, int], list[Frame]] = {}
    for frame, _ in whole:
        alike.setdefault((frame.timeline.tobytes(), frame.coarse_ms), []).append(frame)
    if len(alike) == len(whole):
        return whole
    found = []
    for frames in alike.values():
        rows, labels = parts_of_all([frame.labels for frame in frames])
        values = np.concatenate([frame.values[own] for frame, own in zip(frames, rows, strict=True)])
        known = bundles(labels)
        assert known is not None  # the labels are all of parts
        found.append((Frame(labels, frames[0].timeline, values, frames[0].coarse_ms), known))
    return found


def _together(whole: list[tuple[Frame, Bundles]]) -> list[tuple[Frame, Bundles]]:
    """The same, but all parts of one histogram in one frame, whatever their timelines."""
    counts = Counter(labels for _, known in whole for labels in known.labels)
    spread = {labels for labels, times in counts.items() if times > 1}
    if not spread:
        return whole
    moved, kept = [], []
    for frame, _ in whole:
        parts = parts_in(frame.labels)
        inside = [row for row in parts if plain(frame.labels[row]) in spread]
        moved.append(_picked(frame, np.array(inside, dtype=np.int64)))
        kept.append(_picked(frame, np.setdiff1d(parts, inside)))
    whole_now = [*kept, united([frame for frame in moved if frame.labels])]
    return [(frame, known) for frame in whole_now if (known := bundles(frame.labels)) is not None]


def united(frames: Sequence[Frame]) -> Frame:
    """The series of several frames on one timeline."""
    times = np.unique(np.concatenate([frame.timeline for frame in frames]))
    values = absent(sum(len(frame.labels) for frame in frames), len(times))
    start = 0
    for frame in frames:
        values[start : start + len(frame.labels), np.searchsorted(times, frame.timeline)] = frame.values
        start += len(frame.labels)
    coarse_ms = max(frame.coarse_ms for frame in frames)
    return Frame([labels for frame in frames for labels in frame.labels], times, values, coarse_ms)


def _mixed(frames: list[Frame], histograms: list[HistogramFrame]) -> tuple[list[Frame], list[HistogramFrame]]:
    """Series that stand on both sides, each in a histogram frame of its own with its floats."""
    native = {labels: (place, row) for place, frame in enumerate(histograms) for row, labels in enumerate(frame.labels)}
    both = [
        (place, row, *native[labels])
        for place, frame in enumerate(frames)
        for row, labels in enumerate(frame.labels)
        if labels in native
    ]
    if not both:
        return frames, histograms
    found = [_combined(frames[p], row, histograms[h], number) for p, row, h, number in both]
    left = [
        _picked(frame, np.setdiff1d(np.arange(len(frame.labels)), [row for p, row, _, _ in both if p == place]))
        for place, frame in enumerate(frames)
    ]
    pure = [
        _kept(frame, np.setdiff1d(np.arange(len(frame.labels)), [row for _, _, h, row in both if h == place]))
        for place, frame in enumerate(histograms)
    ]
    return [frame for frame in left if frame.labels], [*(frame for frame in pure if frame.labels), *found]


def _kept(frame: HistogramFrame, rows: Ints) -> HistogramFrame:
    return replace(frame, labels=[frame.labels[row] for row in rows.tolist()], at=frame.at[rows])


def _combined(frame: Frame, row: int, histograms: HistogramFrame, number: int) -> HistogramFrame:
    """One series with floats and histograms; where one kind ends as the other goes on, nothing ended."""
    floats = united(
        [Frame([()], frame.timeline, frame.values[row : row + 1], frame.coarse_ms), _timeline_of(histograms)]
    )
    at = np.full(len(floats.timeline), NONE, dtype=np.int64)
    at[np.searchsorted(floats.timeline, histograms.timeline)] = histograms.at[number]
    values = floats.values[0]
    stale = is_stale(values)
    at[(at == ENDED) & ~is_absent(values)] = NONE
    values = np.where(stale | (at >= 0), absent(1), values)
    at[stale & (at == NONE)] = ENDED
    both = np.ascontiguousarray(values[None, :])
    return HistogramFrame(
        [histograms.labels[number]], floats.timeline, at[None, :], histograms.table, both, floats.coarse_ms
    )


def _timeline_of(histograms: HistogramFrame) -> Frame:
    return Frame([], histograms.timeline, absent(0, len(histograms.timeline)), histograms.coarse_ms)


def _histograms(frame: Frame, known: Bundles, steps: Times | None, hold: Callable[[int], None]) -> HistogramFrame:
    """The histograms of a frame; with steps, only what is newest at one of them."""
    schema = _picks(frame.values, known.single["schema"])
    if steps is not None:
        rows = _newest_rows(frame.timeline, ~is_absent(schema), steps)
        if len(rows) < len(frame.timeline):
            frame = replace(frame, timeline=frame.timeline[rows], values=frame.values[:, rows])
            schema = schema[:, rows]
    ended = is_stale(schema)
    held = ((schema >= COARSEST_SCHEMA) & (schema <= FINEST_SCHEMA)) | (schema == CUSTOM_SCHEMA)
    at = np.where(ended, ENDED, NONE)
    at[held] = np.arange(int(held.sum()))
    flat = np.flatnonzero(held.ravel())
    hold(len(flat) * sum(len(keys) for keys, _ in known.exponential.values()))
    own = {
        name: _counts(frame.values, columns).reshape(-1)[flat]
        for name, columns in known.single.items()
        if name != "schema"
    }
    schemas = schema.ravel()[flat].astype(np.int64)
    keys, buckets, layout, layouts = _buckets(known, frame.values, held, schemas)
    table = Table(
        keys, buckets, own["count"], own["sum"], own["zero_threshold"], schemas, layout, own["hint"].astype(np.int64),
        layouts,
    )  # fmt: skip
    return HistogramFrame(known.labels, frame.timeline, at, table, coarse_ms=frame.coarse_ms)


def _newest_rows(timeline: Times, there: Mask, steps: Times) -> Ints:
    """The rows that are some series' newest at one of the steps."""
    place = np.searchsorted(timeline, steps, "right") - 1
    place = np.unique(place[place >= 0])
    if there[:, place].all():
        return place
    newest = np.maximum.accumulate(np.where(there, np.arange(there.shape[1]), -1), axis=1)[:, place]
    return np.unique(newest[newest >= 0])


def _picks(values: Floats, columns: Ints) -> Floats:
    """Columns of a frame, without samples where there is no such column: [..., T]."""
    picked: Floats = values.take(columns, axis=0, mode="clip")
    missing = columns < 0
    if missing.any():
        picked[missing] = absent(1)
    return picked


def _counts(values: Floats, columns: Ints) -> Floats:
    """Columns of a frame, 0 where there is no sample or no such column: [..., T]."""
    picked: Floats = values.take(columns, axis=0, mode="clip")
    missing = columns < 0
    if missing.any():
        picked[missing] = 0.0
    odd = np.flatnonzero(np.isnan(picked))
    if len(odd):
        flat = picked.reshape(-1)
        found = flat[odd]
        flat[odd[is_absent(found) | is_stale(found)]] = 0.0
    return picked


def _buckets(
    known: Bundles, values: Floats, held: Mask, schemas: Ints
) -> tuple[Ints, Floats, Ints, tuple[Layout, ...]]:
    """Keys, buckets, layout of each histogram, and layouts."""
    flat = np.flatnonzero(held.ravel())
    layout = np.zeros(len(flat), dtype=np.int64)
    if not known.custom and len(known.exponential) == 1:
        ((keys, columns),) = known.exponential.values()
        buckets = _counts(values, columns).reshape(len(keys), -1)
        return keys, buckets if len(flat) == held.size else buckets[:, flat], layout, ((),)
    most = max((len(custom.bounds) for custom in known.custom.values()), default=0)
    every = [np.array([0]), np.arange(most) + MIDDLE, *(keys for keys, _ in known.exponential.values())]
    keys = np.unique(np.concatenate(every))
    buckets = np.zeros((len(keys), len(flat)))
    for schema, (own, columns) in known.exponential.items():
        mine = np.flatnonzero(schemas == schema)
        part = _counts(values, columns).reshape(len(own), -1)[:, flat[mine]]
        buckets[np.searchsorted(keys, own)[:, None], mine] = part
    buckets[np.searchsorted(keys, 0)] = _counts(values, known.single["zero"]).ravel()[flat]
    layouts: dict[Layout, int] = {(): 0}
    first = np.searchsorted(keys, MIDDLE)
    for number, custom in known.custom.items():
        cells = np.flatnonzero((flat // held.shape[1] == number) & (schemas == CUSTOM_SCHEMA))
        part = values[custom.columns][:, flat[cells] % held.shape[1]]
        layout[cells] = _custom(custom, part, cells, layouts, buckets[first:])
    return keys, buckets, layout, tuple(layouts)


def _custom(custom: Custom, part: Floats, cells: Ints, layouts: dict[Layout, int], buckets: Floats) -> Ints:
    """Fill in custom buckets of one series, [K, cells] as columns have them; the layout of each histogram."""
    there = ~(is_absent(part) | is_stale(part))
    masks, kind = np.unique(there, axis=1, return_inverse=True)
    found = np.zeros(len(cells), dtype=np.int64)
    for number, mask in enumerate(masks.T):
        mine = np.flatnonzero(kind.ravel() == number)
        bounds = tuple(bound for bound, one in zip(custom.bounds, mask.tolist(), strict=True) if one)
        rows = np.arange(int(mask.sum()))
        buckets[rows[:, None], cells[mine]] = part[mask][:, mine]
        found[mine] = layouts.setdefault(tuple(bound for bound in bounds if bound != np.inf), len(layouts))
    return found
