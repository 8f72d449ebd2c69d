"""The first screen as plain lines: for pipes, logs and terminals that cannot draw."""

from __future__ import annotations

from datetime import datetime

from rich.cells import cell_len

from sanso.model.readings import Layer, Overview, VitalReading
from sanso.model.status import Status
from sanso.model.units import format_bounds, format_duration, format_value
from sanso.tui.cells import left, right
from sanso.tui.texts import layer_title, level_word, say, status_word
from sanso.tui.workers_tree import branches, worker_line
from sanso.vitals.catalog import Vital, load

_LAYERS: tuple[Layer, ...] = ("application", "system", "ai")


def render_plain(overview: Overview, lang: str = "en") -> str:
    """Time and host, the three layers, the workers, the alerts, the notices; no colours."""
    moment = datetime.fromtimestamp(overview.time_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    lines = [f"{moment}  {overview.host}  Sanso 三層"]
    titles = max(cell_len(vital.title[_known(lang)]) for vital in load())
    for layer in _LAYERS:
        lines += ["", layer_title(layer, lang)]
        lines += [_line(vital, overview.vitals[vital.name], lang, titles) for vital in load() if vital.layer == layer]
    if overview.workers:
        lines += ["", say("organisation", lang)]
        lines += [f"{branch}{worker_line(worker, lang)}" for branch, worker in branches(overview.workers)]
    if overview.alerts:
        lines += ["", say("alerts", lang)]
    for alert in overview.alerts:
        age = format_duration((overview.time_ms - alert.since_ms) / 1000)
        lines.append(
            f"  [{level_word(alert.level, lang)}] {alert.message or alert.name} ({say(alert.state, lang)}, {age})"
        )
    return "\n".join([*lines, *(f"! {notice}" for notice in overview.notices)])


def _line(vital: Vital, readings: list[VitalReading], lang: str, titles: int) -> str:
    title = left(vital.title[_known(lang)], titles)
    if readings[0].labels:
        values = "  ".join(
            f"{reading.labels[0][1]}: {format_value(reading.value, reading.unit)}" for reading in readings
        )
        return f"  {title}  {values}"
    reading = readings[0]
    word = status_word(reading.status, lang, workers=vital.words == "workers")
    status = "" if reading.status is Status.UNKNOWN else f"  {word}"
    if reading.value is not None and reading.low is not None and reading.high is not None:
        status += f"  {format_bounds(reading.low, reading.high, reading.value, reading.unit)}"
    return f"  {title}  {right(format_value(reading.value, reading.unit), 12)}{status}"


def _known(lang: str) -> str:
    return "ja" if lang == "ja" else "en"
