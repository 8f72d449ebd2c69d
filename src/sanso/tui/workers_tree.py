"""The organisation as a tree: who reports to whom, drawn with the usual branches."""

from __future__ import annotations

from collections.abc import Sequence

from sanso.model.readings import WorkerReading
from sanso.model.status import Status, WorkerState
from sanso.model.units import format_value
from sanso.tui.cells import icon
from sanso.tui.texts import say, state_word

STATE_STATUS = {
    WorkerState.ACTIVE: Status.NORMAL,
    WorkerState.PROCESSING: Status.NORMAL,
    WorkerState.WAITING: Status.UNKNOWN,
    WorkerState.STALLED: Status.WARNING,
    WorkerState.ERROR: Status.CRITICAL,
    WorkerState.LOST: Status.CRITICAL,
}
"""In which colour a state is drawn; waiting is neither good nor bad."""


def branches(workers: Sequence[WorkerReading]) -> list[tuple[str, WorkerReading]]:
    """Each worker with the branch before it, below the one it reports to.

    A worker whose superior is unknown, or who stands in a circle, hangs at the top: nobody is left out.
    """
    names = {worker.name for worker in workers}
    below: dict[str, list[WorkerReading]] = {}
    for worker in workers:
        known = worker.reports_to in names and worker.reports_to != worker.name
        below.setdefault(worker.reports_to if known else "", []).append(worker)
    lines: list[tuple[str, WorkerReading]] = []
    drawn: set[int] = set()
    roots = below.get("", [])
    reachable = _reachable(roots, below)
    roots = roots + [worker for worker in workers if id(worker) not in reachable]
    _grow(roots, "", below, (lines, drawn))
    return lines


def _reachable(roots: Sequence[WorkerReading], below: dict[str, list[WorkerReading]]) -> set[int]:
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        worker = waiting.pop()
        if id(worker) not in found:
            found.add(id(worker))
            waiting.extend(below.get(worker.name, []))
    return found


def _grow(
    siblings: Sequence[WorkerReading],
    stem: str,
    below: dict[str, list[WorkerReading]],
    into: tuple[list[tuple[str, WorkerReading]], set[int]],
) -> None:
    lines, drawn = into
    todo = [worker for worker in siblings if id(worker) not in drawn]
    drawn.update(id(worker) for worker in todo)
    for index, worker in enumerate(todo):
        last = index == len(todo) - 1
        lines.append((f"{stem}{'└──' if last else '├──'} ", worker))
        _grow(below.get(worker.name, []), f"{stem}{'    ' if last else '│   '}", below, into)


def worker_line(worker: WorkerReading, lang: str) -> str:
    """`👑 PRESIDENT: ACTIVE (CPU: 45%, Tasks: 12)`, then why; what is not known is `–`."""
    label = f"{icon(worker.icon)} {worker.name}" if worker.icon else worker.name
    cpu = "–" if worker.cpu_percent is None else f"{worker.cpu_percent:.0f}%"
    tasks = format_value(worker.tasks_completed, "count")
    figures = f"{say('cpu', lang)}: {cpu}, {say('tasks', lang)}: {tasks}"
    reason = f" – {worker.reason}" if worker.reason else ""
    return f"{label}: {state_word(worker.state, lang)} ({figures}){reason}"
