"""Samples as Prometheus text 0.0.4."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from sanso.exposition.formats import format_float
from sanso.exposition.page import Sample
from sanso.model.frame import Family
from sanso.model.labels import NAME, Labels, escape, metric_name, value_of

_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
_OLD_TYPES = {"unknown": "untyped", "info": "gauge", "stateset": "gauge"}
_PART_ORDER = {"_bucket": 1, "_count": 2, "_gcount": 2, "_sum": 3, "_gsum": 3, "_created": 4}
_PLAIN_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PLAIN_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def render_text(series: Iterable[Sample], families: Mapping[str, Family]) -> str:
    """Exposition text, family by family; a histogram's samples stand together, in the order of their buckets.

    Args:
        series: Labels, value, and time in ms (None: no time).
        families: Types and help texts by metric name; samples without one are untyped.
    """
    groups: dict[str, list[Sample]] = {}
    for sample in series:
        groups.setdefault(_family(metric_name(sample[0]), families), []).append(sample)
    lines: list[str] = []
    for name in sorted(groups):
        family = families.get(name)
        samples = groups[name]
        if family is not None:
            text = family.help.replace("\\", r"\\").replace("\n", r"\n")
            shown = quoted_name(name)
            lines += [f"# HELP {shown} {text}"] if text else []
            lines.append(f"# TYPE {shown} {_OLD_TYPES.get(family.type, family.type)}")
            samples = in_metric_order(samples, name, family.type)
        lines += [_line(*sample) for sample in samples]
    return "\n".join(lines) + "\n" if lines else ""


def quoted_name(name: str) -> str:
    """A metric name as it stands in a metadata line: quoted where it holds more than the classic characters."""
    return name if _PLAIN_NAME.fullmatch(name) else f'"{escape(name)}"'


def series_text(labels: Labels) -> str:
    """A series as it stands before its value; names beyond the classic characters are quoted inside the braces."""
    name = metric_name(labels)
    plain = _PLAIN_NAME.fullmatch(name) is not None
    parts = [] if plain else [f'"{escape(name)}"']
    for key, value in labels:
        if key != NAME:
            shown = key if _PLAIN_LABEL.fullmatch(key) else f'"{escape(key)}"'
            parts.append(f'{shown}="{escape(value)}"')
    inside = f"{{{','.join(parts)}}}" if parts else ""
    return f"{name}{inside}" if plain else inside


def in_metric_order(samples: list[Sample], name: str, kind: str) -> list[Sample]:
    """Samples of one family, each metric's together, buckets and quantiles rising; metrics as they first came."""
    if kind not in _PARTS and len(samples) > 1 and all(metric_name(labels) == name for labels, _, _ in samples):
        return samples
    metrics: dict[Labels, int] = {}

    def key(sample: Sample) -> tuple[int, int, float]:
        labels = sample[0]
        part = metric_name(labels)[len(name) :]
        own = "quantile" if kind == "summary" else "le"
        metric = tuple(pair for pair in labels if pair[0] not in (NAME, own))
        bound = value_of(labels, own)
        return metrics.setdefault(metric, len(metrics)), _PART_ORDER.get(part, 0), _bound(bound)

    return sorted(samples, key=key)


def _bound(text: str) -> float:
    try:
        return float(text) if text else 0.0
    except ValueError:
        return math.inf


def _line(labels: Labels, value: float, time_ms: int | None) -> str:
    stamp = "" if time_ms is None else f" {time_ms}"
    return f"{series_text(labels)} {format_float(value)}{stamp}"


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
