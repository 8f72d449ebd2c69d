"""The engine: text in, answer out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import sanso.promql.functions  # noqa: F401 - fills the tables of functions
from sanso.model.clock import SystemClock
from sanso.model.control import DEFAULT_MOST_SAMPLES, DEFAULT_TIMEOUT_S, QueryControl
from sanso.model.errors import QueryError
from sanso.model.frame import ABSENT, Times, absent, is_stale
from sanso.model.labels import Labels, LabelSets, derived
from sanso.model.native_histogram import NativeHistogram
from sanso.model.series import Answer, AnswerKind, Edge, SeriesReader
from sanso.promql.annotations import Annotations
from sanso.promql.evaluator import Evaluator
from sanso.promql.histograms.placed import NONE, Histograms
from sanso.promql.lexical import TOO_DEEP
from sanso.promql.parse import parsed
from sanso.promql.selectors import Source
from sanso.promql.steady import SteadyReader
from sanso.promql.values import Samples, Scalar, Text, Value, Vector, joined, trimmed

_MOST_STEPS = 11_000


class PromEngine:
    """Answers PromQL over a reader's frames, with Prometheus 3's semantics.

    Args:
        reader: Where samples come from.
        lookback_ms: How old an instant selector's sample may be.
        max_samples: A query that would load more into memory is refused; as the next, where it has no control.
        timeout_s: How long it may take.
    """

    def __init__(
        self,
        reader: SeriesReader,
        *,
        lookback_ms: int = 300_000,
        max_samples: int = DEFAULT_MOST_SAMPLES,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        self._reader = reader
        self._lookback_ms = lookback_ms
        self._max_samples = max_samples
        self._timeout_s = timeout_s

    def instant(self, expr: str, at_ms: int, control: QueryControl | None = None, *, edge: Edge = "inside") -> Answer:
        """The expression's value at one time; `edge` says what quantiles of histograms answer.

        Raises:
            QueryError: The text is wrong (bad_data) or cannot be evaluated (execution).
        """
        steps = np.array([at_ms], dtype=np.int64)
        value, notes = self._evaluate(expr, steps, control or self._control(), (at_ms, at_ms, 0), edge=edge)
        if isinstance(value, Text):
            return Answer("string", [], steps, absent(0, 1), text=value.text)
        if isinstance(value, Scalar):
            return Answer("scalar", [()], steps, value.values[None, :], warnings=notes.warnings, infos=notes.infos)
        if isinstance(value, Samples):
            return _raw(value, notes)
        found = trimmed(value)
        return _answer("vector", found, steps, notes)

    def range(
        self,
        expr: str,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        control: QueryControl | None = None,
        *,
        edge: Edge = "inside",
    ) -> Answer:
        """The expression's value at every step from start to end; `edge` as above.

        Raises:
            QueryError: As above, or the range is wrong.
        """
        if step_ms <= 0:
            raise QueryError("zero or negative query resolution step widths are not accepted. Try a positive integer")
        if end_ms < start_ms:
            raise QueryError("end timestamp must not be before start time")
        if (end_ms - start_ms) // step_ms > _MOST_STEPS:
            raise QueryError(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution "
                "(?step=XX)"
            )
        steps = np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)
        control = control or self._control()
        value, notes = self._evaluate(expr, steps, control, (start_ms, end_ms, step_ms), edge=edge)
        if isinstance(value, Scalar):
            value = Vector([()], value.values[None, :])
        if not isinstance(value, Vector):
            kind = "range vector" if isinstance(value, Samples) else "string"
            why = f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
            raise QueryError(f'invalid parameter "query": {why}')
        found = trimmed(value)
        order, labels = derived(found.labels, "sorted", _in_order)
        if order is not None:
            histograms = None if found.histograms is None else found.histograms.rows(order)
            found = Vector(labels, found.values[order], histograms)
        control.spent("sorting")
        return _answer("matrix", found, steps, notes)

    def steady(self) -> PromEngine:
        """The same over samples as they are when first read: for several answers that are of one state."""
        reader = SteadyReader(self._reader)
        return PromEngine(
            reader, lookback_ms=self._lookback_ms, max_samples=self._max_samples, timeout_s=self._timeout_s
        )

    def _control(self) -> QueryControl:
        return QueryControl(SystemClock(), timeout_s=self._timeout_s, most_samples=self._max_samples)

    def _evaluate(
        self, expr: str, steps: Times, control: QueryControl, outer: tuple[int, int, int], *, edge: Edge
    ) -> tuple[Value, Annotations]:
        question = parsed(expr)
        control.spent("preparing")
        notes = Annotations(question.text)
        source = Source(self._reader, control, self._lookback_ms, outer[2])
        evaluator = Evaluator(source, steps, outer, notes, edge)
        with np.errstate(all="ignore"):  # infinities and NaN are answers
            try:
                value = evaluator.value(question.tree)
            except RecursionError:
                raise QueryError(TOO_DEEP) from None
        control.spent("evaluating")
        return value, notes


def _in_order(labels: list[Labels]) -> tuple[NDArray[np.intp] | None, list[Labels]]:
    """Where each comes from in the order that matrices have, and the label sets in it; None where they are in it."""
    order = sorted(range(len(labels)), key=labels.__getitem__)
    if all(row == place for place, row in enumerate(order)):
        return None, labels
    return np.array(order, dtype=np.intp), LabelSets(labels[row] for row in order)


def _answer(kind: AnswerKind, found: Vector, times: Times, notes: Annotations) -> Answer:
    histograms: dict[tuple[int, int], NativeHistogram] = {}
    if found.histograms is not None:
        rows, steps = np.nonzero(found.histograms.held)
        cells, which = np.unique(found.histograms.at[rows, steps], return_inverse=True)
        values = [found.histograms.table.histogram(cell) for cell in cells.tolist()]
        places = zip(rows.tolist(), steps.tolist(), which.ravel().tolist(), strict=True)
        histograms = {(row, step): values[number] for row, step, number in places}
    return Answer(
        kind, found.labels, times, found.values, warnings=notes.warnings, infos=notes.infos, histograms=histograms
    )


def _raw(samples: Samples, notes: Annotations) -> Answer:
    """The samples of a range vector asked for as it is: one union timeline, holes where a series has none."""
    start, end = int(samples.starts[0]), int(samples.ends[0])
    pieces = [_inside(frame.timeline, Vector(frame.labels, frame.values), start, end) for frame in samples.frames]
    for native in samples.histograms:
        floats = absent(*native.at.shape) if native.values is None else native.values
        whole = Vector(native.labels, floats, Histograms(native.table, np.maximum(native.at, NONE)))
        pieces.append(_inside(native.timeline, whole, start, end))
    times = np.unique(np.concatenate([piece[0] for piece in pieces])) if pieces else np.empty(0, dtype=np.int64)
    spread = [_at(times, own, piece) for own, piece in pieces]
    return _answer("matrix", trimmed(joined(spread, len(times))), times, notes)


def _inside(timeline: Times, samples: Vector, start: int, end: int) -> tuple[Times, Vector]:
    """Samples after the start and not after the end, stale markers taken for nothing."""
    inside = (timeline > start) & (timeline <= end)
    values = np.ascontiguousarray(samples.values[:, inside])
    values[is_stale(values)] = ABSENT
    histograms = None
    if samples.histograms is not None:
        histograms = Histograms(samples.histograms.table, samples.histograms.at[:, inside])
    return timeline[inside], Vector(samples.labels, values, histograms)


def _at(times: Times, own: Times, samples: Vector) -> Vector:
    """Samples on a longer timeline."""
    columns = np.searchsorted(times, own)
    values = absent(len(samples.labels), len(times))
    values[:, columns] = samples.values
    histograms = None
    if samples.histograms is not None:
        at = np.full(values.shape, NONE, dtype=np.int64)
        at[:, columns] = samples.histograms.at
        histograms = Histograms(samples.histograms.table, at)
    return Vector(samples.labels, values, histograms)
