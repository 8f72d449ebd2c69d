"""Selectors: from matchers to samples, and from samples to the value at each step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanso.model.control import QueryControl
from sanso.model.frame import Floats, Frame, Part, Times, absent, is_absent, is_stale
from sanso.model.series import SeriesReader
from sanso.promql.histograms.latest import latest
from sanso.promql.histograms.reading import separated, without_component
from sanso.promql.tree import Selector, When
from sanso.promql.values import Samples, Vector, joined


@dataclass(frozen=True)
class Source:
    """Where a question's samples come from.

    Attributes:
        reader: The frames.
        control: The question's limits.
        lookback_ms: How old an instant selector's sample may be.
        step_ms: The question's step, 0 where there is only one.
    """

    reader: SeriesReader
    control: QueryControl
    lookback_ms: int
    step_ms: int = 0

    def instant(self, selector: Selector, times: Times) -> tuple[Vector, Floats]:
        """The newest sample of each series in (time - lookback, time], and the samples' own times in seconds."""
        first = int(times.min()) - self.lookback_ms + 1
        found = self._frames(selector, first, int(times.max()), "last", self.step_ms)
        read = sum(frame.values.size for frame in found)
        frames, histograms = separated(found, times, self.control.hold)
        self.control.hold(read + sum(len(frame.labels) for frame in frames) * len(times) * 2, read=read)
        vectors, own = [], []
        for frame in frames:
            values, sampled = _latest(frame, times, self.lookback_ms)
            vectors.append(Vector(frame.labels, values))
            own.append(np.broadcast_to(sampled, values.shape))
        for native in histograms:
            floats, natives, sampled = latest(native, times, self.lookback_ms)
            vectors.append(Vector(native.labels, floats, natives))
            own.append(sampled)
        steps = len(times)
        return joined(vectors, steps), (np.concatenate(own) if len(own) > 1 else own[0] if own else absent(0, steps))

    def ranged(
        self, selector: Selector, times: Times, range_ms: int, part: Part = "last", *, weighted: bool = False
    ) -> Samples:
        """The samples of each series in (time - range, time].

        Args:
            selector: Which series.
            times: The ends of the ranges.
            range_ms: Their length.
            part: What coarse samples stand for.
            weighted: Whether it must be known how many raw samples each coarse one stands for.
        """
        starts = times - range_ms
        first, last = int(starts.min()) + 1, int(times.max())
        # A window needs two samples at least, so a tier as coarse as the step may be too coarse for it.
        step_ms = min(self.step_ms, range_ms // 2)
        found = self._frames(selector, first, last, part, step_ms)
        read = sum(frame.values.size for frame in found)
        self.control.hold(read, read=read)
        frames, histograms = separated(found, hold=self.control.hold)
        if histograms and part != "last" and any(frame.coarse_ms for frame in found):
            # Of a histogram only the last coarse sample is one: its parts' minima or sums do not fit together.
            histograms = separated(self._frames(selector, first, last, "last", step_ms))[1]
        weights: list[Floats | None] = [None] * len(frames)
        if weighted and any(frame.coarse_ms for frame in frames):
            counts = {
                labels: values
                for frame in self._frames(selector, first, last, "count", step_ms)
                for labels, values in zip(frame.labels, frame.values, strict=True)
            }
            weights = [np.array([counts[labels] for labels in frame.labels]) for frame in frames]
        return Samples(frames, starts, times, weights, histograms)

    def _frames(self, selector: Selector, first: int, last: int, part: Part, step_ms: int) -> list[Frame]:
        choices = [choice for given in selector.choices if (choice := without_component(given)) is not None]
        if not choices:
            return []
        self.control.spent("evaluating")
        found = self.reader.select(choices[0], first, last, part=part, step_ms=step_ms)
        known = {labels for frame in found for labels in frame.labels} if len(choices) > 1 else set()
        for choice in choices[1:]:
            for frame in self.reader.select(choice, first, last, part=part, step_ms=step_ms):
                rows = [row for row, labels in enumerate(frame.labels) if labels not in known]
                names = [frame.labels[row] for row in rows]
                known.update(names)
                if rows:
                    found.append(Frame(names, frame.timeline, frame.values[rows], frame.coarse_ms))
        self.control.spent("preparing")
        return found


def shifted(when: When, steps: Times, outer: tuple[int, int]) -> Times:
    """The steps that `@` and `offset` mean.

    Args:
        when: What stands behind a selector or subquery.
        steps: The steps asked for.
        outer: Start and end of the whole question, for `@ start()` and `@ end()`.
    """
    if when.at is None:
        return steps - when.offset_ms
    at = {"start": outer[0], "end": outer[1]}[when.at] if isinstance(when.at, str) else when.at
    return np.full(len(steps), at - when.offset_ms, dtype=np.int64)


def _latest(frame: Frame, times: Times, lookback_ms: int) -> tuple[Floats, Floats]:
    """Values [N, S], and the times of the samples in seconds, [S] or [N, S]."""
    if not len(frame.timeline):
        return absent(len(frame.labels), len(times)), np.zeros(len(times))
    place = np.searchsorted(frame.timeline, times, "right") - 1
    hole = is_absent(frame.values)
    if hole.any():
        rows = np.arange(len(frame.timeline))
        newest = np.maximum.accumulate(np.where(hole, -1, rows), axis=1)
        places = np.where(place >= 0, newest[:, np.maximum(place, 0)], -1)
        reached = np.maximum(places, 0)
        values = np.take_along_axis(frame.values, reached, axis=1)
    else:
        places = place
        reached = np.maximum(places, 0)
        values = frame.values[:, reached]
    sampled = frame.timeline[reached]
    known = (places >= 0) & (sampled > times - lookback_ms)
    stale = is_stale(values)
    if not stale.any() and known.all():
        return values, sampled / 1000
    out = absent(*values.shape)
    np.copyto(out, values, where=known & ~stale)
    return out, sampled / 1000
