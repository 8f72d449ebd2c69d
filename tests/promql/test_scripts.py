"""Test scripts of PromQL: Prometheus's public ones where they are beside the checkout, and our own."""

from __future__ import annotations

import functools
import re
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
PENDING = HERE / "pending.txt"


def scripts() -> list[Path]:
    return [*sorted(PUBLIC.glob("*.test")), *sorted(OWN.glob("*.test"))]


@functools.cache
def pending() -> dict[str, str]:
    """Why an eval is known to fail, by `file:line`; the file is grouped by headings that are the reasons."""
    found, reason = {}, ""
    for line in PENDING.read_text().splitlines():
        if line.startswith("# "):
            reason = line[2:]
            continue
        place = re.fullmatch(r"([\w.]+):([\d ]+)", line.strip())
        if place:
            found.update({f"{place[1]}:{number}": reason for number in place[2].split()})
    return found


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
            marks = [pytest.mark.xfail(reason=pending()[name])] if name in pending() else []
            found.append(pytest.param(script, number, first, id=name, marks=marks))
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


def test_what_is_pending_exists() -> None:
    known = {f"{script.name}:{question.line}" for script in scripts() for question, _ in questions(script)}
    missing = {name for name in pending() if (PUBLIC / name.split(":")[0]).exists()} - known
    assert not missing, f"pending.txt names evals that are not there: {sorted(missing)}"
