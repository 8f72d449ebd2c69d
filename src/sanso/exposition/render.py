"""Samples as Prometheus text 0.0.4."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from sanso.model.frame import Family
from sanso.model.labels import NAME, Labels, escape, metric_name

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
_OLD_TYPES = {"unknown": "untyped", "info": "gauge", "stateset": "gauge"}


def render_text(series: Iterable[tuple[Labels, float, int | None]], families: Mapping[str, Family]) -> str:
    """Exposition text, family by family.

    Args:
        series: Labels, value, and time in ms (None: no time).
        families: Types and help texts by metric name; samples without one are untyped.
    """
    groups: dict[str, list[str]] = {}
    for labels, value, time_ms in series:
        name = metric_name(labels)
        inside = ",".join(f'{key}="{escape(text)}"' for key, text in labels if key != NAME)
        stamp = "" if time_ms is None else f" {time_ms}"
        line = f"{name}{{{inside}}} {format_float(value)}{stamp}" if inside else f"{name} {format_float(value)}{stamp}"
        groups.setdefault(_family(name, families), []).append(line)
    lines: list[str] = []
    for name in sorted(groups):
        family = families.get(name)
        if family is not None:
            text = family.help.replace("\\", r"\\").replace("\n", r"\n")
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {_OLD_TYPES.get(family.type, family.type)}"]
        lines += groups[name]
    return "\n".join(lines) + "\n" if lines else ""


def format_float(value: float) -> str:
    """A number as Prometheus writes it: the shortest that reads back."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    return text.removesuffix(".0")


def _family(name: str, families: Mapping[str, Family]) -> str:
    """The family of a sample name: a histogram's for its `_bucket`."""
    if name in families:
        return name
    for kind, parts in _PARTS.items():
        for part in parts:
            stem = name.removesuffix(part)
            if stem != name and stem in families and families[stem].type == kind:
                return stem
    return name
