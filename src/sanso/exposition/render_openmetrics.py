"""Samples as OpenMetrics 1.0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sanso.exposition.classic_names import with_classic_names
from sanso.exposition.formats import format_float
from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.openmetrics_families import STORED_SUFFIX, SUFFIXES
from sanso.exposition.page import Sample
from sanso.exposition.render import in_metric_order, series_text
from sanso.model.errors import DecodeError
from sanso.model.frame import Family
from sanso.model.labels import escape, metric_name

_CANDIDATES = {"histogram": ("histogram", "gaugehistogram")}


def render_openmetrics(series: Iterable[Sample], families: Mapping[str, Family]) -> str:
    """An OpenMetrics page, `# EOF` included.

    The standard binds names and numbers to types: a counter ends in `_total`, a histogram is whole. A family that does
    not satisfy its type is told as `unknown`, so that no series changes its name or is lost. Characters that names of
    OpenMetrics 1.0 cannot hold become `_`; of two series that then are one, the first is told.

    Args:
        series: Labels, value, and time in ms (None: no time).
        families: Types and help texts by metric name, as series carry it.
    """
    samples, known = with_classic_names(series, families)
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(_family(metric_name(sample[0]), known), []).append(sample)
    blocks: list[str] = []
    taken: set[str] = set()
    for name in sorted(groups):
        blocks += _blocks(name, groups[name], known.get(name), taken)
    return "".join(blocks) + "# EOF\n"


def _blocks(name: str, samples: list[Sample], family: Family | None, taken: set[str]) -> list[str]:
    """The family as its type, or sample name by sample name as `unknown`."""
    for kind in _CANDIDATES.get(family.type, (family.type,)) if family is not None else ():
        stem = name.removesuffix(STORED_SUFFIX.get(kind, ""))
        names = {stem, *(stem + suffix for suffix in SUFFIXES[kind])}
        block = _block(stem, kind, family, in_metric_order(samples, stem, kind))
        if not names & taken and _holds(block):
            taken |= names
            return [block]
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(metric_name(sample[0]), []).append(sample)
    taken.update(by_name)
    return [_block(own, "unknown", family if own == name else None, found) for own, found in by_name.items()]


def _block(stem: str, kind: str, family: Family | None, samples: list[Sample]) -> str:
    lines = [f"# TYPE {stem} {kind}"]
    if family is not None and family.help:
        lines.append(f"# HELP {stem} {escape(family.help)}")
    if family is not None and family.unit and stem.endswith(f"_{family.unit}") and kind not in ("info", "stateset"):
        lines.append(f"# UNIT {stem} {family.unit}")
    for labels, value, time_ms in samples:
        stamp = "" if time_ms is None else f" {_seconds(time_ms)}"
        lines.append(f"{series_text(labels)} {format_float(value)}{stamp}")
    return "\n".join(lines) + "\n"


def _holds(block: str) -> bool:
    """Whether the standard allows this family; whoever reads strictly knows."""
    try:
        OpenMetricsParser().parse(f"{block}# EOF\n".encode())
    except DecodeError:
        return False
    return True


def _seconds(time_ms: int) -> str:
    sign, size = ("-", -time_ms) if time_ms < 0 else ("", time_ms)
    whole, rest = divmod(size, 1000)
    return f"{sign}{whole}.{rest:03}" if rest else f"{sign}{whole}"


def _family(name: str, families: Mapping[str, Family]) -> str:
    """The family of a sample name: a histogram's for its `_bucket`, a counter's for its `_created`."""
    if name in families:
        return name
    for kind in ("histogram", "gaugehistogram", "summary", "counter"):
        for suffix in SUFFIXES[kind]:
            stem = name.removesuffix(suffix)
            stored = stem + STORED_SUFFIX.get(kind, "")
            held = families.get(stored)
            if stem != name and held is not None and kind in _CANDIDATES.get(held.type, (held.type,)):
                return stored
    return name
