"""The organisation: who is there, what they do and why, as a tree with aligned figures."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sanso.model.readings import Overview, WorkerReading
from sanso.model.status import Status
from sanso.model.units import format_value
from sanso.tui.cells import icon, left, right
from sanso.tui.text_lines import put
from sanso.tui.texts import DOTS, age_text, say, state_word, status_word
from sanso.tui.themes import STATUS_STYLE
from sanso.tui.workers_tree import STATE_STATUS, branches

_LONGEST_NAME = 30
_WIDE = 90
"""From here on there is room for a state's age beside its reason."""
_AGE = 6


class WorkersPanel(VerticalScroll):
    """Draws the workers it was last shown; scrolls where they are many."""

    DEFAULT_CSS = """
    WorkersPanel { height: auto; max-height: 45%; border-top: solid $rule; border-title-color: $foreground;
                   border-title-style: bold; scrollbar-size-vertical: 1; }
    WorkersPanel Static { text-wrap: nowrap; text-overflow: ellipsis; }
    WorkersPanel:focus { border-top: solid $primary; border-title-color: $primary; }
    WorkersPanel.alone { height: 1fr; max-height: 100%; }
    """

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static()

    def show(self, overview: Overview, lang: str) -> None:
        """Draw these workers from now on."""
        self.border_title = f" {'  '.join([say('organisation', lang), *_strength(overview, lang)])} "
        put(self.query_one(Static), workers_content(overview, lang, wide=self.app.size.width >= _WIDE))


def _strength(overview: Overview, lang: str) -> list[str]:
    """How many of how many are at work, and what that means."""
    reading = overview.vitals["active_workers"][0]
    if reading.value is None or not overview.workers:
        return []
    expected = overview.workers_expected or len(overview.workers)
    word = f" {DOTS[reading.status]} {status_word(reading.status, lang, workers=True)}"
    return [f"{reading.value:.0f}/{expected}{word if reading.status is not Status.UNKNOWN else ''}"]


def workers_content(overview: Overview, lang: str, *, wide: bool) -> Content:
    """The tree; where there is none, how to get one."""
    if not overview.workers:
        return Content.assemble(say("no_workers", lang), "\n", (say("no_workers_how", lang), "$quiet"))
    drawn = branches(overview.workers)
    names = min(_LONGEST_NAME, max(cell_len(branch) + 3 + cell_len(worker.name) for branch, worker in drawn))
    states = max(cell_len(state_word(worker.state, lang)) for _, worker in drawn)
    return Content("\n").join(_line(branch, worker, (names, states), lang, wide=wide) for branch, worker in drawn)


def _line(branch: str, worker: WorkerReading, widths: tuple[int, int], lang: str, *, wide: bool) -> Content:
    names, states = widths
    status = STATE_STATUS[worker.state]
    cpu = "–" if worker.cpu_percent is None else f"{worker.cpu_percent:.0f}%"
    tasks = format_value(worker.tasks_completed, "count")
    failed = f"  {format_value(worker.tasks_failed, 'count')} {say('failed', lang)}" if worker.tasks_failed else ""
    name = left(f"{icon(worker.icon)} {worker.name}", names - cell_len(branch))
    return Content.assemble(
        (branch, "$rule"),
        f"{name}  {DOTS[status]} ",
        (left(state_word(worker.state, lang), states), STATUS_STYLE[status]),
        (f"  {say('cpu', lang)} ", "$quiet"),
        right(cpu, 4),
        (f"  {say('tasks', lang)} ", "$quiet"),
        right(tasks, 4),
        (f"  {left(age_text(worker.age_seconds, lang), _AGE)}" if wide else "", "$quiet"),
        (f"  {worker.reason}" if worker.reason else "", "$foreground"),
        (failed, "$error"),
    )
