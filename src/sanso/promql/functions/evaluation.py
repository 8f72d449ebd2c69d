"""Function calls in a question: arguments evaluated, then the function that the table names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sanso.model.durations import format_duration_ms
from sanso.model.errors import QueryError
from sanso.model.frame import Frame, absent
from sanso.model.labels import NAME, Labels, derived, labels_of, metric_name
from sanso.promql.evaluation import Evaluation
from sanso.promql.functions.info import info
from sanso.promql.functions.presence import nothing_where
from sanso.promql.functions.registry import PLAIN, RANGE, Call, RangeFunction
from sanso.promql.histograms.ranges import over_both, over_windows, room
from sanso.promql.histograms.reading import HistogramFrame
from sanso.promql.tree import Function, Node, Range, Selector, bare
from sanso.promql.values import Samples, Value, Vector, blank, distinct, drop_name, joined, trimmed, windows

_SORTING = frozenset({"sort", "sort_desc", "sort_by_label", "sort_by_label_desc"})
_COUNTERS = ("_total", "_sum", "_count", "_bucket")


def called(evaluation: Evaluation, node: Function) -> Value:
    """A call's value.

    Raises:
        QueryError: The function is not known, or does not take its arguments.
    """
    special = _SPECIAL.get(node.name)
    if special is not None:
        return special(evaluation, node)
    definition = RANGE.get(node.name)
    if definition is None and node.name not in PLAIN:
        raise QueryError(f"not supported: {node.name}()")
    args = [_argument(evaluation, arg, definition) for arg in node.args]
    places = tuple(bare(arg).place for arg in node.args)
    check = evaluation.source.control.check
    if node.name in _SORTING and len(evaluation.steps) > 1:
        why = "sort is ineffective for range queries since results are always ordered by labels"
        evaluation.notes.warn(why, node.place)
    call = Call(args, evaluation.steps, evaluation.notes, places, evaluation.outer, evaluation.edge, check)
    for arg in args:
        if isinstance(arg, Vector):
            evaluation.hold(arg)
    return PLAIN[node.name](call) if definition is None else _over_windows(evaluation, node, definition, call)


def _argument(evaluation: Evaluation, node: Node, definition: RangeFunction | None) -> Value:
    """An argument; samples come as the part that the function needs of coarse ones."""
    inner = bare(node)
    if definition is not None and isinstance(inner, Range):
        times = evaluation.times(inner.selector)
        return evaluation.source.ranged(
            inner.selector, times, inner.range_ms, definition.part, weighted=definition.weighted
        )
    value = evaluation.value(node)
    return trimmed(value) if isinstance(value, Vector) else value


def _over_windows(evaluation: Evaluation, node: Function, definition: RangeFunction, call: Call) -> Vector:
    number = next(place for place, arg in enumerate(call.args) if isinstance(arg, Samples))
    samples = call.args[number]
    assert isinstance(samples, Samples)
    series, steps = sum(len(frame.labels) for frame in samples.frames), len(call.steps)
    natives = sum(room(node.name, frame, steps) for frame in samples.histograms)
    evaluation.source.control.hold(sum(frame.values.size for frame in samples.frames) + series * steps * 2 + natives)
    parts = []
    for window in windows(samples, counters=definition.counter):
        evaluation.source.control.check()
        values = definition.kernel(window, call)
        enough = window.last - window.first >= definition.least
        if not enough.all():
            values = blank(values, np.broadcast_to(enough, values.shape))
        parts.append(Vector(window.labels, np.ascontiguousarray(values)))
    found = trimmed(joined(parts, steps))
    if definition.counter:
        _say_what_is_no_counter(call, found.labels, number)
    if samples.histograms:
        more = [_of_histograms(node.name, definition, call, number, frame) for frame in samples.histograms]
        found = trimmed(joined([found, *more], steps))
    exact = definition.exact and (definition.part == "last" or not samples.histograms)
    coarse_ms = max((frame.coarse_ms for frame in samples.frames), default=0)
    coarse_ms = max([coarse_ms, *(native.coarse_ms for native in samples.histograms)])
    if coarse_ms and not exact and found.labels:
        call.notes.info(
            f"{node.name} was computed from samples of {format_duration_ms(coarse_ms)} resolution, for finer ones are "
            "no longer kept",
            call.place(number),
        )
    return found if definition.keeps_name else distinct(drop_name(found))


def _of_histograms(name: str, definition: RangeFunction, call: Call, number: int, frame: HistogramFrame) -> Vector:
    """What a function makes of series with histograms."""
    samples = call.args[number]
    assert isinstance(samples, Samples)
    if frame.values is None:
        found = over_windows(name, frame, samples.starts, samples.ends)
    else:
        floats = absent(len(frame.labels), len(call.steps))
        alone = Samples([Frame(frame.labels, frame.timeline, frame.values)], samples.starts, samples.ends)
        for window in windows(alone):
            enough = np.broadcast_to(window.last - window.first >= definition.least, window.shape)
            floats = blank(definition.kernel(window, call), enough)
        found = over_both(name, frame, samples.starts, samples.ends, floats)
    for note in found.notes:
        call.notes.say(note, call.place(0))
    if definition.counter:
        _say_what_is_no_counter(call, trimmed(Vector(frame.labels, found.values)).labels, number)
    return Vector(frame.labels, found.values, found.histograms)


def _say_what_is_no_counter(call: Call, labels: list[Labels], argument: int) -> None:
    for name in derived(labels, "names", lambda sets: tuple(dict.fromkeys(map(metric_name, sets)))):
        if name and not name.endswith(_COUNTERS):
            call.notes.info(
                f'metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "{name}"',
                call.place(argument),
            )


def _absent(evaluation: Evaluation, node: Function) -> Vector:
    argument = node.args[0]
    value = evaluation.value(argument)
    if isinstance(value, Samples):
        steps = len(evaluation.steps)
        counted = [
            Vector(w.labels, blank(np.ones(w.shape), np.broadcast_to(w.last > w.first, w.shape)))
            for w in windows(value)
        ]
        for frame in value.histograms:
            any_native = over_windows("present_over_time", frame, value.starts, value.ends).values
            counted.append(Vector(frame.labels, any_native))
            if frame.values is not None:
                alone = Samples([Frame(frame.labels, frame.timeline, frame.values)], value.starts, value.ends)
                counted += [Vector(w.labels, blank(np.ones(w.shape), w.last > w.first)) for w in windows(alone)]
        value = joined(counted, steps)
    assert isinstance(value, Vector)
    return trimmed(Vector([_labels_meant(argument)], nothing_where(value)))


def _labels_meant(node: Node) -> Labels:
    """What an absent series would be called: the labels that its selector names by equality, once each."""
    inner = bare(node)
    selector = inner.selector if isinstance(inner, Range) else inner
    if not isinstance(selector, Selector) or len(selector.choices) != 1:
        return ()
    matchers = [matcher for matcher in selector.choices[0] if matcher.name != NAME]
    names = [matcher.name for matcher in matchers]
    return labels_of({m.name: m.value for m in matchers if m.op == "=" and names.count(m.name) == 1})


def _timestamp(evaluation: Evaluation, node: Function) -> Vector:
    argument = bare(node.args[0])
    if isinstance(argument, Selector):
        found, own = evaluation.source.instant(argument, evaluation.times(argument))
    else:
        found = evaluation.vector(argument)
        own = np.broadcast_to(evaluation.steps / 1000, found.values.shape)
    return drop_name(Vector(found.labels, blank(own, found.held)))


_SPECIAL: dict[str, Callable[[Evaluation, Function], Value]] = {
    "absent": _absent, "absent_over_time": _absent, "timestamp": _timestamp, "info": info,
}  # fmt: skip
"""Functions that look at the question, not at the values of their arguments alone."""


def known_functions() -> frozenset[str]:
    """The names of all functions."""
    return frozenset({*_SPECIAL, *PLAIN, *RANGE})
