"""OpenTelemetry names as Prometheus spells them."""

from __future__ import annotations

import math
import re

import numpy as np

_BAD = re.compile(r"[^a-zA-Z0-9_:]+")
_UNITS = {
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds",
    "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes",
    "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "m": "meters", "V": "volts", "A": "amperes",
    "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius", "Hz": "hertz", "%": "percent",
}  # fmt: skip
_PER = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


def metric_name(name: str, unit: str, *, monotonic: bool = False, gauge: bool = False) -> str:
    """A metric's Prometheus name: bad characters to `_`, the unit's word, `_total` for counters; nothing twice."""
    spelt = _legal(name) or "_"
    if spelt[0].isdigit():
        spelt = f"_{spelt}"
    total = spelt.endswith("_total")
    if monotonic and total:
        spelt = spelt.removesuffix("_total")
    for word in unit_words(unit, gauge=gauge):
        if word not in spelt.split("_"):
            spelt = f"{spelt}_{word}"
    return f"{spelt}_total" if monotonic else spelt


def unit_words(unit: str, *, gauge: bool) -> list[str]:
    """What a unit adds to a name; annotations in braces add nothing, `1` is a ratio where it is a gauge's."""
    plain = re.sub(r"\{[^}]*\}", "", unit).strip()
    if plain == "1":
        return ["ratio"] if gauge else []
    main, _, per = plain.partition("/")
    words = [_UNITS.get(main) or _legal(main)]
    if divisor := _PER.get(per) or _UNITS.get(per) or _legal(per):
        words.append(f"per_{divisor}")
    return [word for word in words if word]


def _legal(word: str) -> str:
    return _BAD.sub("_", word).strip("_")


def label_name(key: str) -> str:
    """An attribute's label name."""
    spelt = re.sub(r"[^a-zA-Z0-9_]", "_", key)
    return f"key_{spelt}" if spelt[:1].isdigit() or spelt.startswith("__") else spelt or "_"


def bound_text(bound: float) -> str:
    """A bound as Prometheus's OTLP receiver writes it into `le`."""
    if math.isinf(bound):
        return "+Inf"
    return np.format_float_positional(bound, trim="-")
