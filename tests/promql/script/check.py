"""Ask the engine what a script asks, and compare: values, order, warnings, infos, errors."""

from __future__ import annotations

import re

from sanso.model.errors import QueryError
from sanso.model.frame import is_absent
from sanso.model.labels import Labels, render
from sanso.model.native_histogram import NativeHistogram
from sanso.model.series import Answer
from sanso.promql.engine import PromEngine
from tests.promql.script.commands import Eval, Note
from tests.promql.script.histograms import alike, close
from tests.promql.script.series import Point

_PLACE = re.compile(r" \(\d+:\d+\)$")
_MINUTE_MS = 60_000
Rows = list[tuple[Labels, list[Point]]]


def check(engine: PromEngine, question: Eval) -> None:
    """Assert that the engine answers as the script says.

    Raises:
        AssertionError: It does not.
    """
    if question.wants("fail"):
        _check_failure(engine, question)
        return
    answer = _asked(engine, question)
    _check_notes(question, answer)
    if question.wants("string"):
        assert answer.kind == "string"
        assert answer.text == question.wants("string")[0].text
        return
    if question.scalar is not None:
        assert answer.kind == "scalar", f"a {answer.kind}, not a scalar"
        assert close(question.scalar, float(answer.values[0, 0])), f"{answer.values[0, 0]}, not {question.scalar}"
        return
    _compare(question.series, _rows(answer), ordered=bool(question.wants("ordered")))
    if not question.step_ms and not question.wants("ordered") and answer.kind == "vector":
        _check_as_range(engine, question)


def _asked(engine: PromEngine, question: Eval) -> Answer:
    if question.step_ms:
        return engine.range(question.expr, question.start_ms, question.end_ms, question.step_ms)
    return engine.instant(question.expr, question.start_ms)


def _check_failure(engine: PromEngine, question: Eval) -> None:
    failure = ""
    try:
        answer = _asked(engine, question)
    except QueryError as error:
        failure = str(error)
    else:
        raise AssertionError(f"answered {_shown(_rows(answer))}, but should fail")
    for note in question.wants("fail"):
        assert note.met_by(failure), f"failed with {failure}, not {note.text}"


def _check_notes(question: Eval, answer: Answer) -> None:
    for what, said in (("warn", answer.warnings), ("info", answer.infos)):
        texts = [_PLACE.sub("", text) for text in said]
        wanted = question.wants(what)
        if question.wants(f"no_{what}") or (question.strict and not wanted):
            assert not texts, f"unexpected: {texts}"
        for note in wanted:
            assert any(note.met_by(text) for text in texts), f"no {what} {note.text}: {texts}"
        if wanted and any(note.text for note in wanted):
            assert all(_known(wanted, text) for text in texts), f"unexpected: {texts}"


def _known(notes: list[Note], text: str) -> bool:
    return any(note.met_by(text) for note in notes)


def _check_as_range(engine: PromEngine, question: Eval) -> None:
    """The same answer in the middle of a range of three steps."""
    at = question.start_ms
    answer = engine.range(question.expr, at - _MINUTE_MS, at + _MINUTE_MS, _MINUTE_MS)
    middle = [(labels, points[1:2]) for labels, points in _rows(answer) if points[1] is not None]
    _compare(question.series, middle, ordered=False)


def _rows(answer: Answer) -> Rows:
    holes = is_absent(answer.values)
    found: Rows = []
    for row, labels in enumerate(answer.labels):
        points: list[Point] = [
            answer.histograms.get((row, step), None if hole else value)
            for step, (value, hole) in enumerate(
                zip(answer.values[row].tolist(), holes[row].tolist(), strict=True)
            )
        ]  # fmt: skip
        found.append((labels, points))
    return found


def _compare(expected: Rows, got: Rows, *, ordered: bool) -> None:
    texts = f"\nexpected {_shown(expected)}\ngot      {_shown(got)}"
    if ordered:
        assert [labels for labels, _ in expected] == [labels for labels, _ in got], f"other order or series{texts}"
    held = dict(got)
    assert len(held) == len(got), f"series twice{texts}"
    wanted = {labels: points for labels, points in expected if any(point is not None for point in points)}
    assert wanted.keys() == held.keys(), f"other series{texts}"
    for labels, points in wanted.items():
        padded = [*points, *[None] * (len(held[labels]) - len(points))]
        assert len(padded) == len(held[labels]), f"more points expected of {render(labels)}{texts}"
        for step, (one, other) in enumerate(zip(padded, held[labels], strict=True)):
            assert _same(one, other), f"{render(labels)} at step {step}: {other}, not {one}{texts}"


def _same(expected: Point, got: Point) -> bool:
    if isinstance(expected, NativeHistogram) and isinstance(got, NativeHistogram):
        return alike(expected, got)
    if isinstance(expected, float) and isinstance(got, float):
        return close(expected, got)
    return expected is None and got is None


def _shown(rows: Rows) -> str:
    texts = [f"{render(labels)} {' '.join('_' if p is None else str(p) for p in points)}" for labels, points in rows]
    return "; ".join(texts)[:2000]
