"""What scripts load, as frames."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sanso.model.frame import STALE, Frame, absent
from sanso.model.labels import NAME, Labels, labels_of, metric_name, value_of, without
from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram, component, parts
from tests.promql.memory import MemoryReader
from tests.promql.script.commands import Load
from tests.promql.script.series import Point

_Columns = dict[Labels, dict[int, float]]


class Loaded:
    """Everything that a script has loaded so far."""

    def __init__(self) -> None:
        self._groups: list[_Columns] = []

    def add(self, load: Load) -> None:
        """Take a load command's series; the series of one command share a frame."""
        group: _Columns = {}
        self._groups.append(group)
        series = list(load.series)
        if load.with_custom:
            series += _custom(load)
        for labels, points in series:
            for place, point in enumerate(points):
                for column, value in _cells(labels, points, place, point):
                    home = next((known for known in self._groups if column in known), group)
                    home.setdefault(column, {})[place * load.step_ms] = value

    def reader(self) -> MemoryReader:
        """A reader of what is there now."""
        return MemoryReader([_frame(group) for group in self._groups if group])


def _cells(labels: Labels, points: list[Point], place: int, point: Point) -> Iterator[tuple[Labels, float]]:
    """The columns that a point fills, and with what."""
    if isinstance(point, NativeHistogram):
        for part, value in parts(point).items():
            yield component(labels, part), value
    elif point is not None:
        if any(isinstance(other, float) and other is not STALE for other in points) or not any(
            isinstance(other, NativeHistogram) for other in points
        ):
            yield labels, point
        if point is STALE:
            ended = {part for other in points[:place] if isinstance(other, NativeHistogram) for part in parts(other)}
            for part in sorted(ended):
                yield component(labels, part), STALE


def _frame(group: _Columns) -> Frame:
    times = np.array(sorted({time for cells in group.values() for time in cells}), dtype=np.int64)
    values = absent(len(group), len(times))
    for row, cells in enumerate(group.values()):
        values[row, np.searchsorted(times, list(cells))] = list(cells.values())
    return Frame(list(group), times, values)


def _custom(load: Load) -> list[tuple[Labels, list[Point]]]:
    """The classic histograms of a load as native ones with custom buckets."""
    found: dict[Labels, dict[str | float, list[Point]]] = {}
    for labels, points in load.series:
        name = metric_name(labels)
        for ending in ("_bucket", "_sum", "_count"):
            if not name.endswith(ending):
                continue
            bare = {**dict(without(labels, ("le",))), NAME: name.removesuffix(ending)}
            part: str | float = float(value_of(labels, "le")) if ending == "_bucket" else ending
            # Two spellings of one bound are one bucket; the first counts.
            found.setdefault(labels_of(bare), {}).setdefault(part, points)
    return [(labels, _one(columns)) for labels, columns in found.items() if any(isinstance(c, float) for c in columns)]


def _one(columns: dict[str | float, list[Point]]) -> list[Point]:
    bounds = sorted(bound for bound in columns if isinstance(bound, float))
    out: list[Point] = []
    for place in range(max(len(points) for points in columns.values())):
        at = {part: points[place] for part, points in columns.items() if place < len(points)}
        counts = [value for bound in bounds if isinstance(value := at.get(bound), float)]
        if not counts:
            out.append(None)
            continue
        if bounds[-1] != float("inf"):
            counts.append(counts[-1])
        own = np.diff(np.array(counts), prepend=0.0).tolist()
        total, added = at.get("_count"), at.get("_sum")
        out.append(
            NativeHistogram(
                schema=CUSTOM_SCHEMA,
                count=total if isinstance(total, float) else counts[-1],
                sum=added if isinstance(added, float) else 0.0,
                positive=tuple((index, count) for index, count in enumerate(own) if count),
                bounds=tuple(bound for bound in bounds if bound != float("inf")),
            )
        )
    return out
