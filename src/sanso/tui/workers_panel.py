"""The organisation: who is there, what they do and why, as a tree with aligned figures."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sanso.model.readings import Overview, WorkerReading
from sanso.model.units import format_duration, format_value
from sanso.tui.cells import icon, left, right
from sanso.tui.texts import DOTS, say, state_word
from sanso.tui.themes import STATUS_STYLE
from sanso.tui.workers_tree import STATE_STATUS, branches

_LONGEST_NAME = 30


class WorkersPanel(VerticalScroll):
    """Draws the workers it was last shown; scrolls where they are many."""

    DEFAULT_CSS = """
    WorkersPanel { height: auto; max-height: 45%; border-top: solid $rule; border-title-color: $foreground;
                   border-title-style: bold; scrollbar-size-vertical: 1; }
    WorkersPanel:focus { border-top: solid $primary; border-title-color: $primary; }
    WorkersPanel.alone { height: 1fr; max-height: 100%; }
    """

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static()

    def show(self, overview: Overview, lang: str) -> None:
        """Draw these workers from now on."""
        there, expected = len(overview.workers), overview.workers_expected
        title = say("organisation", lang)
        self.border_title = f"{title}  {there}/{expected}" if expected else title
        self.query_one(Static).update(workers_content(overview, lang))


def workers_content(overview: Overview, lang: str) -> Content:
    """The tree; where there is none, how to get one."""
    if not overview.workers:
        return Content.assemble(say("no_workers", lang), "\n", (say("no_workers_how", lang), "$quiet"))
    drawn = branches(overview.workers)
    names = min(_LONGEST_NAME, max(cell_len(branch) + 3 + cell_len(worker.name) for branch, worker in drawn))
    states = max(cell_len(state_word(worker.state, lang)) for _, worker in drawn)
    return Content("\n").join(_line(branch, worker, (names, states), lang) for branch, worker in drawn)


def _line(branch: str, worker: WorkerReading, widths: tuple[int, int], lang: str) -> Content:
    names, states = widths
    status = STATE_STATUS[worker.state]
    cpu = "–" if worker.cpu_percent is None else f"{worker.cpu_percent:.0f}%"
    tasks = format_value(worker.tasks_completed, "count")
    failed = f" ({format_value(worker.tasks_failed, 'count')} {say('failed', lang)})" if worker.tasks_failed else ""
    name = left(f"{icon(worker.icon)} {worker.name}", names - cell_len(branch))
    return Content.assemble(
        (branch, "$rule"),
        f"{name}  {DOTS[status]} ",
        (left(state_word(worker.state, lang), states), STATUS_STYLE[status]),
        (f"  {say('cpu', lang)} ", "$quiet"),
        right(cpu, 4),
        (f"  {say('tasks', lang)} ", "$quiet"),
        right(tasks, 4),
        (failed, "$error"),
        (f"  {format_duration(worker.age_seconds)}", "$quiet"),
        (f"  {worker.reason}" if worker.reason else "", "$foreground"),
    )
