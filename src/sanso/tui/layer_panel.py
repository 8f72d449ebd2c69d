"""One layer: a line a vital sign, and below them, where there is room, the plot of its leading sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.binding import Binding
from textual.content import Content
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.message import Message
from textual.widget import Widget

from sanso.model.readings import Layer
from sanso.model.status import Status
from sanso.model.units import format_value
from sanso.tui.cells import fitted, left, narrow, right, sparkline
from sanso.tui.plot import braille
from sanso.tui.rows import VitalRow
from sanso.tui.short_titles import LEADS
from sanso.tui.texts import DOTS, age_text
from sanso.tui.themes import STATUS_STYLE

_LOWEST_PLOT = 5
_HIGHEST_PLOT = 26
_SPARK_POINTS = 60
"""The newest values that a sparkline is made of; the plot shows all that are kept."""


@dataclass(frozen=True)
class Shape:
    """How the cells of a line are shared out."""

    title: int
    figure: int
    word: int
    short: bool

    @staticmethod
    def within(width: int) -> Shape:
        """The shape for a panel of that many cells."""
        if width < 36:
            return Shape(title=8, figure=7, word=0, short=True)
        if width < 54:
            return Shape(title=min(18, width - 22), figure=10, word=0, short=False)
        return Shape(title=20, figure=11, word=9, short=False)


@dataclass(frozen=True)
class LayerView:
    """What a layer shows.

    Attributes:
        title: Its name.
        rows: Its vital signs.
        tallest: How many rows the longest layer has, so that the plots of all stand side by side.
        interval: Seconds from one value of a trail to the next.
        lang: en or ja.
    """

    title: str
    rows: Sequence[VitalRow]
    tallest: int
    interval: float
    lang: str


class LayerPanel(Widget, can_focus=True):
    """Draws what it was last shown; posts `Chosen` when a sign is opened.

    Args:
        layer: Which layer it is.
    """

    DEFAULT_CSS = """
    LayerPanel { width: 1fr; height: 1fr; border-top: solid $rule; border-title-color: $foreground;
                 border-title-style: bold; border-subtitle-color: $quiet; margin-right: 1; }
    LayerPanel:focus { border-top: solid $primary; border-title-color: $primary; }
    LayerPanel.last { margin-right: 0; }
    """
    BINDINGS = [  # noqa: RUF012 - Textual's own way to declare keys
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "move(-8)", show=False),
        Binding("pagedown", "move(8)", show=False),
        Binding("home", "move(-999)", show=False),
        Binding("end", "move(999)", show=False),
        Binding("enter", "open", show=False),
    ]

    class Chosen(Message):
        """The user wants to see more of a vital sign."""

        def __init__(self, row: VitalRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, layer: Layer) -> None:
        super().__init__(id=f"layer-{layer}")
        self.of: Layer = layer
        self._view = LayerView("", (), 0, 1.0, "en")
        self._chosen = ""

    @property
    def _rows(self) -> Sequence[VitalRow]:
        return self._view.rows

    def show(self, view: LayerView) -> None:
        """Draw these rows from now on."""
        self._view = view
        self._name_it()
        self.refresh()

    def on_resize(self) -> None:
        """More or fewer rows fit."""
        self._name_it()

    def action_move(self, steps: int) -> None:
        """Choose another sign."""
        if self._rows:
            self._chosen = self._rows[min(len(self._rows) - 1, max(0, self._place() + steps))].vital.name
            self._name_it()
            self.refresh()

    def action_open(self) -> None:
        """Say which sign the user wants to see."""
        if self._rows:
            self.post_message(self.Chosen(self._rows[self._place()]))

    def on_click(self, event: Click) -> None:
        """Choose the sign under the pointer and open it."""
        offset = event.get_content_offset(self)
        if offset is not None and self._first() + offset.y < len(self._rows) and offset.y < self._visible():
            self._chosen = self._rows[self._first() + offset.y].vital.name
            self.refresh()
            self.action_open()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """The wheel walks through the signs."""
        event.stop()
        self.action_move(1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """The wheel walks through the signs."""
        event.stop()
        self.action_move(-1)

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.refresh()

    def render(self) -> Content:
        """As many rows as fit, from the one that keeps the cursor in sight."""
        width, height = self.content_size
        first, visible = self._first(), self._visible()
        shown = self._rows[first : first + visible]
        lines = [self._line(row, width, chosen=first + index == self._place()) for index, row in enumerate(shown)]
        if height - self._view.tallest > _LOWEST_PLOT:
            lines += [Content("")] * (self._view.tallest - len(lines))
            lines += self._plot(width, min(height - self._view.tallest - 1, _HIGHEST_PLOT))
        return Content("\n").join(lines)

    def _name_it(self) -> None:
        hidden = len(self._rows) > max(1, self.content_size.height)
        where = f"  {self._place() + 1}/{len(self._rows)}" if hidden else ""
        self.border_title = f" {self._view.title}{where} " if self._view.title else ""

    def _place(self) -> int:
        names = [row.vital.name for row in self._rows]
        return names.index(self._chosen) if self._chosen in names else 0

    def _visible(self) -> int:
        return min(len(self._rows), max(1, self.content_size.height))

    def _first(self) -> int:
        return max(0, self._place() - self._visible() + 1)

    def _line(self, row: VitalRow, width: int, *, chosen: bool) -> Content:
        shape = Shape.within(width)
        quiet = "$quiet" if row.status is Status.UNKNOWN and row.figure == "–" else "$foreground"
        figure = narrow(row.figure) if shape.short else row.figure
        room = width - 3 - shape.title - 1 - 1 - shape.figure - (shape.word + 1 if shape.word else 0)
        dot = "  " if row.status is Status.UNKNOWN else DOTS[row.status]
        line = Content.assemble(
            f"{dot} ",
            (left(row.short if shape.short else row.title, shape.title), quiet),
            " ",
            (_spark(row, max(room, 0)), "$primary"),
            " ",
            (right(figure, shape.figure), quiet if quiet == "$quiet" else STATUS_STYLE[row.status]),
            (f" {left(row.word, shape.word)}" if shape.word else "", STATUS_STYLE[row.status]),
        )
        if chosen and self.has_focus:
            return line.stylize("reverse" if self.app.current_theme.ansi else "on $cursor")
        return line

    def _plot(self, width: int, height: int) -> list[Content]:
        lead = next((row for row in self._rows if row.vital.name == LEADS[self.of]), None)
        if lead is None or not lead.trail:
            return []
        minutes = age_text(len(lead.trail) * self._view.interval, self._view.lang)
        name = f" {lead.title} · {minutes} "
        top = f" {format_value(lead.scale[1], lead.vital.unit)} "
        rule = "─" * max(0, width - 2 - cell_len(name) - cell_len(top))
        head = Content.assemble(("─", "$rule"), (name, "$quiet"), (rule, "$rule"), (top, "$quiet"), ("─", "$rule"))
        dots = braille([fitted(lead.trail, 2 * width)], width, height - 1, lead.scale)
        return [Content(""), head, *(Content.styled(line, "$primary") for line in dots)]


def _spark(row: VitalRow, width: int) -> str:
    newest = row.trail if row.vital.label else row.trail[-_SPARK_POINTS:]
    return sparkline(fitted(newest, width), width, row.scale)
