"""Durations as people write them: `500ms`, `1s`, `5m`, `1h30m`, `15d`, `100y` (Prometheus's spelling)."""

from __future__ import annotations

import re

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")


def parse_duration_ms(text: str | float) -> int:
    """Milliseconds of a duration; a bare number is seconds.

    Raises:
        ValueError: It is not a duration.
    """
    if isinstance(text, int | float):
        return round(text * 1000)
    stripped = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", stripped):
        return round(float(stripped) * 1000)
    if not _WHOLE.fullmatch(stripped):
        raise ValueError(f'"{text}" is not a duration: write it like 500ms, 30s, 5m, 1h30m or 15d')
    return round(sum(float(number) * _UNITS_MS[unit] for number, unit in _PART.findall(stripped)))


def format_duration_ms(duration: int) -> str:
    """The shortest exact spelling in whole units: `1h30m`, `500ms`, `0s`."""
    if duration == 0:
        return "0s"
    parts = []
    for unit in ("y", "w", "d", "h", "m", "s", "ms"):
        count, duration = divmod(duration, _UNITS_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
