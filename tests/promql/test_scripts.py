"""Test scripts of PromQL: Prometheus's public ones where they are beside the checkout, and our own."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import pytest

from sanso.promql.engine import PromEngine
from tests.promql.script.check import check
from tests.promql.script.commands import Clear, Eval, Load, commands
from tests.promql.script.loading import Loaded

HERE = Path(__file__).parent
OWN = HERE / "cases"
PUBLIC = HERE.parents[2] / "shared" / "data" / "promqltest"


def scripts() -> list[Path]:
    return [*sorted(PUBLIC.glob("*.test")), *sorted(OWN.glob("*.test"))]


@functools.cache
def questions(script: Path) -> list[tuple[Eval, tuple[Load, ...]]]:
    """Each eval of a script with what had been loaded before it."""
    found: list[tuple[Eval, tuple[Load, ...]]] = []
    loads: tuple[Load, ...] = ()
    for command in commands(script):
        if isinstance(command, Clear):
            loads = ()
        elif isinstance(command, Load):
            loads = (*loads, command)
        else:
            found.append((command, loads))
    return found


@functools.lru_cache(maxsize=2)
def engine(script: Path, number: int) -> PromEngine:
    """An engine over the loads of a script's question."""
    loaded = Loaded()
    for load in questions(script)[number][1]:
        loaded.add(load)
    return PromEngine(loaded.reader())


def cases() -> Sequence[object]:
    found = []
    for script in scripts():
        first = 0  # the first question over the same loads: they share an engine
        for number, (question, loads) in enumerate(questions(script)):
            if loads is not questions(script)[first][1]:
                first = number
            name = f"{script.name}:{question.line}"
            found.append(pytest.param(script, number, first, id=name))
    return found


@pytest.mark.parametrize(("script", "number", "first"), cases())
def test_eval(script: Path, number: int, first: int) -> None:
    question = questions(script)[number][0]
    try:
        check(engine(script, first), question)
    except AssertionError as error:
        raise AssertionError(f"{script.name}:{question.line}: {question.expr}\n{error}") from error


def test_public_scripts_are_there() -> None:
    if not PUBLIC.is_dir():
        pytest.skip("Prometheus's scripts are not beside this checkout (../shared/data/promqltest)")
    assert sum(len(questions(script)) for script in scripts() if script.parent == PUBLIC) > 1200
