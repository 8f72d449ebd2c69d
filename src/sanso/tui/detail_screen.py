"""One vital sign in full: its last 15 minutes, its thresholds, what is asked."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from sanso.client.base import Client
from sanso.client.bounds import bounded
from sanso.model.clock import Clock
from sanso.model.errors import SansoError
from sanso.model.labels import Labels
from sanso.model.units import format_value
from sanso.tui.bars import KeyBar
from sanso.tui.cells import Scale, right, scale
from sanso.tui.plot import braille, level_of
from sanso.tui.texts import language, layer_title, say
from sanso.vitals.catalog import Vital

SECONDS = 900
_POINTS = 300
_REFRESH_S = 5.0
_AXIS = 10
_KEYS = (("Esc", "back", "screen.back"), ("r", "refresh", "screen.ask"), ("q", "quit", "app.quit"))


@dataclass
class SeriesCame(Message):
    """The last 15 minutes of each label set, and the bounds of a percentile now; or why not."""

    series: list[tuple[Labels, list[float]]] = field(default_factory=list)
    problem: str = ""
    bounds: tuple[float, float] | None = None


class DetailScreen(Screen[None]):
    """Asks for 15 minutes of one vital sign and draws them.

    Args:
        client: Who is asked.
        vital: Which sign.
        lang: en or ja.
        clock: What the time is.
    """

    DEFAULT_CSS = """
    DetailScreen { background: $background; color: $foreground; padding: 0 1; }
    DetailScreen #facts { height: auto; }
    DetailScreen #asked { height: auto; max-height: 30%; border-top: solid $rule; border-title-color: $quiet;
                          scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,backspace", "back", show=False),
        Binding("r", "ask", show=False),
    ]

    def __init__(self, client: Client, vital: Vital, lang: str, clock: Clock) -> None:
        super().__init__()
        self._client = client
        self._vital = vital
        self._lang = lang
        self._clock = clock
        self._asking = False

    def compose(self) -> ComposeResult:
        """Facts, plot, expression, keys."""
        yield Static(id="facts")
        yield Plot(self._vital, self._lang)
        with VerticalScroll(id="asked"):
            yield Static(Content(self._vital.expr))
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask at once, and then every few seconds."""
        self.query_one("#asked").border_title = say("expression", self._lang)
        self.query_one(KeyBar).show(self._lang, _KEYS)
        self.query_one("#facts", Static).update(self._facts([], say("loading", self._lang)))
        self.set_interval(_REFRESH_S, self.action_ask)
        self.action_ask()

    def action_back(self) -> None:
        """To the first screen."""
        self.dismiss()

    def action_ask(self) -> None:
        """Ask now, unless an answer is still awaited."""
        if not self._asking:
            self._asking = True
            threading.Thread(target=self._ask, name="sanso-ask", daemon=True).start()

    def on_series_came(self, event: SeriesCame) -> None:
        """Draw the answer."""
        self._asking = False
        problem = say("cannot_ask", self._lang).format(error=event.problem) if event.problem else ""
        measured = [values for _, values in event.series if any(map(math.isfinite, values))]
        if not problem and not measured:
            problem = say("no_history", self._lang)
        self.query_one("#facts", Static).update(self._facts(event.series, problem, event.bounds))
        if not event.problem:
            self.query_one(Plot).show(measured)

    def _ask(self) -> None:
        try:
            self.post_message(SeriesCame(self._series(), bounds=self._bounds()))
        except SansoError as error:
            self.post_message(SeriesCame(problem=str(error)))

    def _series(self) -> list[tuple[Labels, list[float]]]:
        if not self._vital.label:
            values = self._client.histories([self._vital.name], SECONDS, _POINTS).get(self._vital.name, [])
            return [((), values)]
        end = self._clock.now_ms()
        answer = self._client.query_range(self._vital.expr, end - SECONDS * 1000, end, SECONDS * 1000 // _POINTS)
        return [
            (labels, [float(value) for value in row]) for labels, row in zip(answer.labels, answer.values, strict=True)
        ]

    def _bounds(self) -> tuple[float, float] | None:
        """Both ends of the bucket that holds a percentile now; None where there is no such bucket."""
        if not self._vital.is_percentile:
            return None
        found = bounded(self._client.ends(self._vital.expr, self._clock.now_ms()))
        if not found.low.size or not (np.isfinite(found.low[0, 0]) and np.isfinite(found.high[0, 0])):
            return None
        return float(found.low[0, 0]), float(found.high[0, 0])

    def _facts(
        self,
        series: Sequence[tuple[Labels, list[float]]],
        problem: str,
        bounds: tuple[float, float] | None = None,
    ) -> Content:
        vital, lang = self._vital, self._lang
        head = Content.assemble(
            (vital.title[language(lang)], "bold $primary"),
            (f"  {layer_title(vital.layer, lang)} · {vital.name} · {say('last_minutes', lang)}", "$quiet"),
        )
        lines = [head, Content(vital.help[language(lang)])]
        if problem:
            lines.append(Content.styled(problem, "$warning"))
        lines.append(Content("   ").join([*self._figures(series), *self._between(bounds), *self._limits()]))
        return Content("\n").join(lines)

    def _figures(self, series: Sequence[tuple[Labels, list[float]]]) -> list[Content]:
        values = [value for _, row in series for value in row if math.isfinite(value)]
        if not values:
            return []
        newest = [row[-1] for _, row in series if row and math.isfinite(row[-1])]
        found = [("now", max(newest))] if newest else []
        found += [("lowest", min(values)), ("average", math.fsum(values) / len(values)), ("highest", max(values))]
        return [
            Content.assemble((f"{say(word, self._lang)} ", "$quiet"), (format_value(value, self._vital.unit), "bold"))
            for word, value in found
        ]

    def _between(self, bounds: tuple[float, float] | None) -> list[Content]:
        if bounds is None:
            return []
        low, high = (format_value(end, self._vital.unit) for end in bounds)
        return [Content.assemble((f"{say('between', self._lang)} ", "$quiet"), (f"{low} – {high}", "bold"))]

    def _limits(self) -> list[Content]:
        vital = self._vital
        unit = "percent" if vital.judge else vital.unit
        sign = "<" if vital.direction == "down" else "≥"
        limits = (("warning_at", vital.warning, "$warning"), ("critical_at", vital.critical, "$error"))
        return [
            Content.assemble((f"{say(word, self._lang)} ", "$quiet"), (f"{sign} {format_value(limit, unit)}", style))
            for word, limit, style in limits
            if limit is not None
        ]


class Plot(Widget):
    """The values of the last 15 minutes with their scale and the thresholds.

    Args:
        vital: Whose values they are.
        lang: en or ja.
    """

    DEFAULT_CSS = "Plot { height: 1fr; min-height: 5; margin: 1 0; }"

    def __init__(self, vital: Vital, lang: str) -> None:
        super().__init__()
        self._vital = vital
        self._lang = lang
        self._series: Sequence[Sequence[float]] = ()

    def show(self, series: Sequence[Sequence[float]]) -> None:
        """Draw these values from now on."""
        self._series = series
        self.refresh()

    def render(self) -> Content:
        """Scale at the left, dots, times below."""
        width, height = self.content_size.width - _AXIS - 1, self.content_size.height - 2
        if width < 4 or height < 2 or not self._series:
            return Content("")
        values = [value for row in self._series for value in row]
        ends = scale(values, percent=self._vital.unit == "percent", critical=self._vital.critical)
        fitted = [_resampled(row, 2 * width) for row in self._series]
        limits = self._limit_rows(height, ends)
        lines = [
            Content.assemble((f"{label} ", "$quiet"), ("┤", "$rule"), _with_limit(dots, limits.get(index, "")))
            for index, (dots, label) in enumerate(
                zip(braille(fitted, width, height, ends), self._labels(height, ends), strict=True)
            )
        ]
        start = "-15 min"
        axis = Content.styled(" " * _AXIS + "└" + "─" * width, "$rule")
        now = right(say("now", self._lang), width + 1 - len(start))
        return Content("\n").join([*lines, axis, Content.styled(" " * _AXIS + start + now, "$quiet")])

    def _labels(self, height: int, ends: Scale) -> list[str]:
        low, top = ends
        marks = {0: top, height // 2: top - (top - low) * (height // 2) / (height - 1), height - 1: low}
        return [
            right(format_value(marks[row], self._vital.unit) if row in marks else "", _AXIS - 1)
            for row in range(height)
        ]

    def _limit_rows(self, height: int, ends: Scale) -> dict[int, str]:
        if self._vital.judge:
            return {}
        rows: dict[int, str] = {}
        for limit, style in ((self._vital.warning, "$warning"), (self._vital.critical, "$error")):
            if limit is not None and ends[0] <= limit <= ends[1]:
                level = level_of(limit, height * 4, ends)
                if level is not None:
                    rows[height - 1 - level // 4] = style
        return rows


def _with_limit(dots: str, style: str) -> Content:
    """A threshold shows where no dot is."""
    if not style:
        return Content.styled(dots, "$primary")
    return Content.assemble(*(("┄", style) if cell == " " else (cell, "$primary") for cell in dots))


def _resampled(values: Sequence[float], points: int) -> list[float]:
    """As many values as there are dots: the greatest where they are too many, repeated where too few."""
    count = len(values)
    if not count:
        return []
    chosen: list[float] = []
    for index in range(points):
        start = index * count // points
        part = [
            value for value in values[start : max(start + 1, (index + 1) * count // points)] if math.isfinite(value)
        ]
        chosen.append(max(part, default=math.nan))
    return chosen
