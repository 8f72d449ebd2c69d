"""What an application measured, as a page for whoever scrapes it: Prometheus's text or OpenMetrics 1.0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from sanso.exposition.formats import canonical_float, format_float
from sanso.sdk.buckets import Buckets, cumulative
from sanso.sdk.instruments import Kind, Labels
from sanso.sdk.otlp_encoding import Metric, Point
from sanso.sdk.sketch import Sketch

_Sample: TypeAlias = tuple[str, Labels, float]
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_PARTS: dict[Kind, tuple[str, ...]] = {
    "counter": ("", "_total", "_created"),
    "gauge": ("",),
    "histogram": ("", "_bucket", "_count", "_sum", "_created"),
}


def render(metrics: Iterable[Metric], buckets: Buckets, *, openmetrics: bool) -> str:
    """The page; counters end in `_total`, histograms have classic buckets.

    Where OpenMetrics forbids two families to stand beside each other (a gauge `jobs` and a counter `jobs_total`), the
    later one by name is told as of unknown type; a name that is told already is left out.
    """
    lines: list[str] = []
    taken: set[str] = set()
    for name, kind, points in by_name(metrics):
        family = name.removesuffix("_total") if kind == "counter" and openmetrics else name
        names = {family + part for part in _PARTS[kind]}
        samples = list(_samples(name, points, buckets, openmetrics=openmetrics))
        if not openmetrics or not names & taken:
            taken |= names
            lines += [f"# TYPE {family} {kind}", *map(_line, samples)]
            continue
        for own in dict.fromkeys(sample[0] for sample in samples):
            if own not in taken:
                taken.add(own)
                lines += [f"# TYPE {own} unknown", *(_line(sample) for sample in samples if sample[0] == own)]
    if openmetrics:
        lines.append("# EOF")
    return "\n".join(lines) + "\n" if lines else ""


def by_name(metrics: Iterable[Metric]) -> Iterator[tuple[str, Kind, list[Point]]]:
    """Families by name, each series once."""
    found: dict[str, tuple[Kind, dict[Labels, Point]]] = {}
    for metric in metrics:
        counts = metric.kind == "counter" and not metric.name.endswith("_total")
        kind, points = found.setdefault(f"{metric.name}_total" if counts else metric.name, (metric.kind, {}))
        if kind == metric.kind:
            for point in metric.points:
                points.setdefault(point.labels, point)
    for name, (kind, points) in sorted(found.items()):
        yield name, kind, list(points.values())


def _samples(name: str, points: list[Point], buckets: Buckets, *, openmetrics: bool) -> Iterator[_Sample]:
    for point in points:
        if not isinstance(point.value, Sketch):
            yield name, point.labels, float(point.value)
            continue
        sketch, bounds = point.value, buckets.of(name)
        labels = tuple(("exported_le" if key == "le" else key, value) for key, value in point.labels)
        counts = [*cumulative(sketch, bounds), sketch.count]
        for bound, count in zip([*map(canonical_float, bounds), "+Inf"], counts, strict=True):
            yield f"{name}_bucket", (*labels, ("le", bound)), count
        if not (openmetrics and sketch.negative):  # the standard: a sum that may fall is none
            yield f"{name}_count", labels, sketch.count
            yield f"{name}_sum", labels, sketch.sum


def _line(sample: _Sample) -> str:
    name, labels, value = sample
    inside = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels)
    return f"{name}{{{inside}}} {format_float(value)}" if inside else f"{name} {format_float(value)}"
