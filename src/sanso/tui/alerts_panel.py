"""Alerts: what fires first, then what is about to."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sanso.model.labels import render
from sanso.model.readings import AlertReading, Overview
from sanso.model.units import format_value
from sanso.tui.cells import left
from sanso.tui.text_lines import put
from sanso.tui.texts import LEVEL_DOTS, age_text, level_word, say
from sanso.tui.themes import LEVEL_STYLE


class AlertsPanel(VerticalScroll):
    """Draws the alerts it was last shown."""

    DEFAULT_CSS = """
    AlertsPanel { height: auto; max-height: 20%; min-height: 2;
                  border-top: solid $rule; border-title-color: $foreground;
                  border-title-style: bold; scrollbar-size-vertical: 1; }
    AlertsPanel Static { text-wrap: nowrap; text-overflow: ellipsis; }
    AlertsPanel:focus { border-top: solid $primary; border-title-color: $primary; }
    """

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static()

    def show(self, overview: Overview, units: dict[str, str], lang: str) -> None:
        """Draw these alerts from now on; `units` are by vital name."""
        firing = sum(alert.state == "firing" for alert in overview.alerts)
        waiting = len(overview.alerts) - firing
        counts = [f"{count} {say(word, lang)}" for count, word in ((firing, "firing"), (waiting, "pending")) if count]
        self.border_title = f" {'  '.join([say('alerts', lang), *counts])} "
        put(self.query_one(Static), alerts_content(overview, units, lang))


def alerts_content(overview: Overview, units: dict[str, str], lang: str) -> Content:
    """One line an alert: level, state and since when, text, value."""
    if not overview.alerts:
        return Content.styled(say("no_alerts", lang), "$quiet")
    words = [f"{level_word(alert.level, lang)} {say(alert.state, lang)}" for alert in overview.alerts]
    ages = [age_text((overview.time_ms - alert.since_ms) / 1000, lang) for alert in overview.alerts]
    widths = (max(map(cell_len, words)), max(map(cell_len, ages)))
    return Content("\n").join(
        Content.assemble(
            f"{LEVEL_DOTS[alert.level]} ",
            (left(word, widths[0]), LEVEL_STYLE[alert.level] if alert.state == "firing" else "$quiet"),
            (f"  {left(age, widths[1])}  ", "$quiet"),
            alert.message or alert.name,
            (f"  {_figure(alert, units)}", "$quiet"),
        )
        for alert, word, age in zip(overview.alerts, words, ages, strict=True)
    )


def _figure(alert: AlertReading, units: dict[str, str]) -> str:
    labels = render(alert.labels) if alert.labels else ""
    if alert.metric_name in units:
        return f"{alert.metric_name}{labels} = {format_value(alert.value, units[alert.metric_name])}"
    return f"{labels} = {alert.value:.4g}".lstrip()
