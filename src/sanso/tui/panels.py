"""What the dashboard's parts show, as rich text: pure functions of a snapshot and a width."""

from __future__ import annotations

from rich.text import Text

from sanso.model.readings import AlertReading, Layer, Overview, VitalReading, WorkerReading
from sanso.model.status import AlertLevel, Status
from sanso.model.units import format_duration, format_value
from sanso.tui.cells import ceiling, left, right, sparkline
from sanso.tui.short_titles import rank, short_title
from sanso.tui.texts import DOTS, LEVEL_DOTS, layer_title, level_word, say, status_word
from sanso.tui.trails import Trails
from sanso.tui.workers_tree import STATE_STATUS, branches, worker_line
from sanso.vitals.catalog import Vital

STYLES = {Status.NORMAL: "green", Status.WARNING: "yellow", Status.CRITICAL: "bold red", Status.UNKNOWN: ""}
_WIDE = 40
_FIGURE = 11
_LEVELS = {AlertLevel.INFO: "cyan", AlertLevel.WARNING: "yellow", AlertLevel.CRITICAL: "bold red"}


def layer_text(
    layer: Layer, vitals: dict[str, Vital], overview: Overview, trails: Trails, size: tuple[int, int], lang: str
) -> Text:
    """One layer: as many vital signs as there are rows, the most telling first where there are too few."""
    width, height = size
    text = Text(no_wrap=True, overflow="crop")
    text.append(left(layer_title(layer, lang), width), "bold")
    names = [name for name in vitals if vitals[name].layer == layer]
    if len(names) > height - 1:
        names = sorted(names, key=lambda name: rank(name, layer))[: max(height - 1, 1)]
    for name in names:
        text.append("\n")
        text.append_text(_vital_line(vitals[name], overview.vitals[name], trails, width, lang))
    return text


def workers_text(overview: Overview, width: int, lang: str) -> Text:
    """The organisation as a tree."""
    text = Text(no_wrap=True, overflow="ellipsis")
    expected = overview.workers_expected
    head = say("organisation", lang)
    text.append(f"{head}  {len(overview.workers)}/{expected}" if expected else head, "bold")
    if not overview.workers:
        text.append(f"\n{say('no_workers', lang)}\n{say('no_workers_how', lang)}", "dim")
    for branch, worker in branches(overview.workers):
        text.append("\n")
        text.append(branch, "dim")
        text.append(left(worker_line(worker, lang), max(width - len(branch), 1)).rstrip(), _worker_style(worker))
    return text


def alerts_text(overview: Overview, notices: list[str], lang: str) -> Text:
    """What fires, then what waits, then what else the user should know."""
    text = Text(no_wrap=True, overflow="ellipsis")
    lines = [_alert_line(alert, overview.time_ms, lang) for alert in overview.alerts]
    lines += [Text(f"! {notice}", "yellow") for notice in (*overview.notices, *notices)]
    if not lines:
        lines = [Text(say("no_alerts", lang), "dim")]
    return text.append_text(Text("\n").join(lines))


def _vital_line(vital: Vital, readings: list[VitalReading], trails: Trails, width: int, lang: str) -> Text:
    wide = width >= _WIDE
    title_width = 15 if wide else 9
    title = vital.title["ja" if lang == "ja" else "en"] if wide else short_title(vital.name, vital.title["en"], lang)
    line = Text(left(title, title_width))
    if readings[0].labels:
        tops = [reading.value or 0.0 for reading in readings]
        bars = sparkline(tops, min(len(tops), max(width - title_width - 1, 1)), 100.0)
        return line.append(" " + bars, "cyan")
    reading = readings[0]
    figure = right(format_value(reading.value, reading.unit), _FIGURE)
    status = f" {DOTS[reading.status]} {left(_word(vital, reading, lang), 8)}" if wide else ""
    trail = trails.of(vital.name)
    room = width - title_width - _FIGURE - (12 if wide else 0) - 1
    if room > 0:
        top = ceiling(trail, percent=reading.unit == "percent", critical=vital.critical)
        line.append(sparkline(trail, room, top) if trail else " " * room, "cyan")
    line.append(figure, STYLES[reading.status])
    return line.append(status if reading.status is not Status.UNKNOWN else "", STYLES[reading.status])


def _word(vital: Vital, reading: VitalReading, lang: str) -> str:
    return status_word(reading.status, lang, workers=vital.words == "workers")


def _worker_style(worker: WorkerReading) -> str:
    return STYLES[STATE_STATUS[worker.state]]


def _alert_line(alert: AlertReading, now_ms: int, lang: str) -> Text:
    age = format_duration(max(now_ms - alert.since_ms, 0) / 1000)
    value = f"{alert.metric_name} = {alert.value:.4g}"
    words = f"{LEVEL_DOTS[alert.level]} {level_word(alert.level, lang)} {say(alert.state, lang)} {age}"
    return Text(f"{words}  {alert.message}  {value}", _LEVELS[alert.level] if alert.state == "firing" else "dim")
