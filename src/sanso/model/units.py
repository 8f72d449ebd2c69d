"""How a number and its unit read: the same words in the terminal, on the page and in plain lines."""

from __future__ import annotations

import math

NOTHING = "–"
"""What stands where there is no value."""

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_DECIMAL = ("", "k", "M", "G", "T")
_SUB_SECOND = ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (1e-6, 1e6, "µs"), (0.0, 1e9, "ns"))
_LONG = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def format_value(value: float | None, unit: str) -> str:
    """A value with its unit, at most about eight characters: `45.2%`, `1.50 GiB`, `12.3 ms`, `–` for None and NaN.

    Args:
        value: In `unit`.
        unit: percent, seconds, bytes, bytes_per_second, per_second, celsius, count, ratio or score.
    """
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "+∞" if value > 0 else "-∞"
    formatter = _FORMATTERS.get(unit)
    return formatter(value) if formatter else f"{_digits(value)} {unit}".rstrip()


def format_bounds(low: float, high: float, value: float, unit: str) -> str:
    """How sure a value between two bounds is: `±1.1%` where they are near, else `100–250 ms`, `≤ 5 ms`, `≥ 10 s`."""
    if math.isinf(high):
        return f"≥ {format_value(low, unit)}"
    if low <= 0 <= value:
        return f"≤ {format_value(high, unit)}"
    share = max(abs(value - low), abs(high - value)) / abs(value) if value else math.inf
    if share < _NEAR:
        return f"±{share * 100:.1f}%"
    first, last = format_value(low, unit), format_value(high, unit)
    name = last.partition(" ")[2]
    return f"{first.removesuffix(f' {name}') if name else first}–{last}"


def format_duration(seconds: float) -> str:
    """A length of time in its largest whole units: `850 ms`, `42 s`, `3 min`, `2.5 h`."""
    size = abs(seconds)
    for length, name in _LONG:
        if size >= length:
            return f"{_digits(seconds / length)} {name}"
    for at_least, factor, name in _SUB_SECOND:
        if size >= at_least and size > 0:
            return f"{_digits(seconds * factor)} {name}"
    return "0 s"


def _digits(value: float) -> str:
    """Three significant digits, without an exponent."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def _scaled(value: float, base: float, names: tuple[str, ...]) -> str:
    index = 0
    while abs(value) >= base * 0.9995 and index < len(names) - 1:
        value /= base
        index += 1
    return f"{_digits(value)} {names[index]}".rstrip()


def _percent(value: float) -> str:
    return f"{value:.1f}%"


def _bytes(value: float) -> str:
    return _scaled(value, 1024.0, _BINARY)


def _byte_rate(value: float) -> str:
    return f"{_bytes(value)}/s"


def _rate(value: float) -> str:
    return f"{_scaled(value, 1000.0, _DECIMAL)}/s"


def _count(value: float) -> str:
    return f"{value:.0f}" if abs(value) < 10_000 else _scaled(value, 1000.0, _DECIMAL)


def _celsius(value: float) -> str:
    return f"{value:.0f}°C"


def _plain(value: float) -> str:
    return f"{value:.3f}"


_NEAR = 0.05
"""Bounds nearer to a value than this share of it are told as a share."""

_FORMATTERS = {
    "percent": _percent,
    "seconds": format_duration,
    "bytes": _bytes,
    "bytes_per_second": _byte_rate,
    "per_second": _rate,
    "celsius": _celsius,
    "count": _count,
    "ratio": _plain,
    "score": _plain,
}
