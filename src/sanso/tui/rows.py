"""A vital sign as the screen shows it: titles, figure, status and what its sparkline draws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sanso.model.readings import Layer, Overview, VitalReading
from sanso.model.status import AlertLevel, Status
from sanso.model.units import format_bounds, format_value
from sanso.tui.cells import Scale, narrow, scale
from sanso.tui.short_titles import rank, short_title
from sanso.tui.texts import language, status_word
from sanso.tui.trails import Trails
from sanso.vitals.catalog import Vital

_WORST_FIRST = (Status.CRITICAL, Status.WARNING, Status.NORMAL)
_FULL = (0.0, 100.0)


@dataclass(frozen=True)
class VitalRow:
    """One line of a layer.

    Attributes:
        vital: The sign's definition.
        title: In the user's language.
        short: Its title of at most eight cells.
        figure: The value with its unit; of the worst label where there are several.
        status: The worst of its readings.
        word: The status in words; of a percentile without one, how sure it is; empty where there is neither.
        trail: What the sparkline draws, oldest first; one value a label where the sign has labels.
        scale: The lower and upper end of its sparkline.
    """

    vital: Vital
    title: str
    short: str
    figure: str
    status: Status
    word: str
    trail: tuple[float, ...]
    scale: Scale


def rows_of(layer: Layer, vitals: Sequence[Vital], overview: Overview, trails: Trails, lang: str) -> list[VitalRow]:
    """A layer's rows, the most telling first; signs that never had a value stand last."""
    own = [vital for vital in vitals if vital.layer == layer and vital.name in overview.vitals]
    own.sort(key=lambda vital: (not _present(vital, overview, trails), rank(vital.name, layer)))
    return [_row(vital, overview, trails, lang) for vital in own]


def worst(statuses: Sequence[Status]) -> Status:
    """The worst of them; UNKNOWN where none is judged."""
    return next((status for status in _WORST_FIRST if status in statuses), Status.UNKNOWN)


def overall(overview: Overview) -> Status:
    """The whole screen in one status: vital signs and firing alerts."""
    levels = {AlertLevel.CRITICAL: Status.CRITICAL, AlertLevel.WARNING: Status.WARNING}
    firing = [levels[alert.level] for alert in overview.alerts if alert.state == "firing" and alert.level in levels]
    return worst([*firing, *(reading.status for readings in overview.vitals.values() for reading in readings)])


def _present(vital: Vital, overview: Overview, trails: Trails) -> bool:
    return trails.seen(vital.name) or any(reading.value is not None for reading in overview.vitals[vital.name])


def _row(vital: Vital, overview: Overview, trails: Trails, lang: str) -> VitalRow:
    readings = overview.vitals[vital.name]
    status = worst([reading.status for reading in readings])
    title = vital.title[language(lang)]
    trail = _now(readings) if vital.label else tuple(trails.of(vital.name))
    is_workers = vital.words == "workers"
    return VitalRow(
        vital=vital,
        title=title,
        short=short_title(vital.name, title, lang),
        figure=_figure(vital, readings, overview.workers_expected),
        status=status,
        word=_bounds(readings) if status is Status.UNKNOWN else status_word(status, lang, workers=is_workers),
        trail=trail,
        scale=_FULL if vital.label else scale(trail, percent=vital.unit == "percent", critical=vital.critical),
    )


def _bounds(readings: Sequence[VitalReading]) -> str:
    """How sure a percentile is; empty for what is exact."""
    reading = readings[0]
    if reading.value is None or reading.low is None or reading.high is None:
        return ""
    return narrow(format_bounds(reading.low, reading.high, reading.value, reading.unit))


def _now(readings: Sequence[VitalReading]) -> tuple[float, ...]:
    return tuple(math.nan if reading.value is None else reading.value for reading in readings)


def _figure(vital: Vital, readings: Sequence[VitalReading], expected: int) -> str:
    values = [reading.value for reading in readings if reading.value is not None]
    if not values:
        return format_value(None, vital.unit)
    figure = format_value(min(values) if vital.direction == "down" else max(values), vital.unit)
    return f"{figure}/{expected}" if vital.words == "workers" and expected else figure


def by_name(vitals: Sequence[Vital]) -> Mapping[str, Vital]:
    """The catalogue by vital name."""
    return {vital.name: vital for vital in vitals}
