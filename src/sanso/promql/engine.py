"""The engine: text in, answer out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import sanso.promql.functions  # noqa: F401 - fills the tables of functions
from sanso.model.clock import SystemClock
from sanso.model.control import QueryControl
from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Times, absent, is_stale
from sanso.model.labels import Labels, LabelSets, derived
from sanso.model.series import Answer, SeriesReader
from sanso.promql.annotations import Annotations
from sanso.promql.evaluator import Evaluator
from sanso.promql.parse import parsed
from sanso.promql.selectors import Source
from sanso.promql.values import Samples, Scalar, Text, Value, Vector, present, trimmed

_MOST_STEPS = 11_000


class PromEngine:
    """Answers PromQL over a reader's frames, with Prometheus 3's semantics.

    Args:
        reader: Where samples come from.
        lookback_ms: How old an instant selector's sample may be.
        max_samples: A query that would load more into memory is refused.
    """

    def __init__(self, reader: SeriesReader, *, lookback_ms: int = 300_000, max_samples: int = 50_000_000) -> None:
        self._reader = reader
        self._lookback_ms = lookback_ms
        self._max_samples = max_samples

    def instant(self, expr: str, at_ms: int, control: QueryControl | None = None) -> Answer:
        """The expression's value at one time.

        Raises:
            QueryError: The text is wrong (bad_data) or cannot be evaluated (execution).
        """
        steps = np.array([at_ms], dtype=np.int64)
        value, notes = self._evaluate(expr, steps, control)
        if isinstance(value, Text):
            return Answer("string", [], steps, absent(0, 1), text=value.text)
        if isinstance(value, Scalar):
            return Answer("scalar", [()], steps, value.values[None, :], warnings=notes.warnings, infos=notes.infos)
        if isinstance(value, Samples):
            return _raw(value, notes)
        found = trimmed(value)
        return Answer("vector", found.labels, steps, found.values, warnings=notes.warnings, infos=notes.infos)

    def range(self, expr: str, start_ms: int, end_ms: int, step_ms: int, control: QueryControl | None = None) -> Answer:
        """The expression's value at every step from start to end.

        Raises:
            QueryError: As above, or the range is wrong.
        """
        if step_ms <= 0:
            raise QueryError("zero or negative query resolution step widths are not accepted. Try a positive integer")
        if end_ms < start_ms:
            raise QueryError("end timestamp must not be before start time")
        if (end_ms - start_ms) // step_ms >= _MOST_STEPS:
            raise QueryError(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution "
                "(?step=XX)"
            )
        steps = np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)
        value, notes = self._evaluate(expr, steps, control, step_ms)
        if isinstance(value, Scalar):
            value = Vector([()], value.values[None, :])
        if not isinstance(value, Vector):
            raise QueryError("invalid expression type for range query, must be Scalar or instant Vector")
        found = trimmed(value)
        order, labels = derived(found.labels, "sorted", _in_order)
        values = found.values if order is None else found.values[order]
        return Answer("matrix", labels, steps, values, warnings=notes.warnings, infos=notes.infos)

    def _evaluate(
        self, expr: str, steps: Times, control: QueryControl | None, step_ms: int = 0
    ) -> tuple[Value, Annotations]:
        question = parsed(expr)
        control = control or QueryControl(SystemClock(), most_samples=self._max_samples)
        notes = Annotations(question.text)
        source = Source(self._reader, control, self._lookback_ms, step_ms)
        evaluator = Evaluator(source, steps, (int(steps[0]), int(steps[-1]), step_ms), notes)
        return evaluator.value(question.tree), notes


def _in_order(labels: list[Labels]) -> tuple[NDArray[np.intp] | None, list[Labels]]:
    """Where each comes from in the order that matrices have, and the label sets in it; None where they are in it."""
    order = sorted(range(len(labels)), key=labels.__getitem__)
    if all(row == place for place, row in enumerate(order)):
        return None, labels
    return np.array(order, dtype=np.intp), LabelSets(labels[row] for row in order)


def _raw(samples: Samples, notes: Annotations) -> Answer:
    """The samples of a range vector asked for as it is: one union timeline, holes where a series has none."""
    labels: list[Labels] = []
    pieces: list[tuple[Times, Floats]] = []
    start, end = int(samples.starts[0]), int(samples.ends[0])
    for frame in samples.frames:
        inside = (frame.timeline > start) & (frame.timeline <= end)
        labels.extend(frame.labels)
        pieces.append((frame.timeline[inside], frame.values[:, inside]))
    times = np.unique(np.concatenate([piece[0] for piece in pieces])) if pieces else np.empty(0, dtype=np.int64)
    values = absent(len(labels), len(times))
    row = 0
    for piece_times, piece_values in pieces:
        part = values[row : row + len(piece_values)]
        held = present(piece_values) & ~is_stale(piece_values)
        columns = np.searchsorted(times, piece_times)
        target = part[:, columns]
        np.copyto(target, piece_values, where=held)
        part[:, columns] = target
        row += len(piece_values)
    kept = np.flatnonzero(present(values).any(axis=1)).tolist()
    return Answer("matrix", [labels[k] for k in kept], times, values[kept], warnings=notes.warnings, infos=notes.infos)
