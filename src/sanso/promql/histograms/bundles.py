"""Which columns make up which histogram."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from sanso.model.labels import Labels, LabelSets, derived
from sanso.model.native_histogram import COMPONENT, part_of, plain
from sanso.promql.histograms.table import MIDDLE, Ints

_Columns: TypeAlias = dict[str, int]
"""Part to column, of one histogram."""
_EXPONENTIAL = re.compile(r"s(-?\d):(-?\d{1,6})(n?)")
_CUSTOM = re.compile(r"le:(?:\+Inf|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)")
"""What is neither, in a label that somebody else has written, is no part."""
_SINGLE = ("schema", "count", "sum", "zero", "zero_threshold", "hint")


@dataclass(frozen=True)
class Custom:
    """The custom buckets of a series: upper bounds, rising, and their columns."""

    bounds: tuple[float, ...]
    columns: Ints


@dataclass(frozen=True)
class Bundles:
    """The histogram series among label sets, by the columns that are their parts; -1 stands for one that is not there.

    Attributes:
        labels: Of the series, N.
        others: The columns that are no part of a histogram, and their label sets.
        single: The columns of schema, count, sum, zero, zero_threshold and hint: each [N].
        exponential: For each schema keys of buckets [B], the zero bucket among them, and their columns [B, N].
        custom: Custom buckets by number of the series.
    """

    labels: LabelSets
    others: tuple[Ints, LabelSets]
    single: dict[str, Ints] = field(default_factory=dict)
    exponential: dict[int, tuple[Ints, Ints]] = field(default_factory=dict)
    custom: dict[int, Custom] = field(default_factory=dict)


def bundles(labels: list[Labels]) -> Bundles | None:
    """The bundles among label sets, None where there is none; remembered where the label sets come again and again."""
    found: Bundles | tuple[()] = derived(labels, Bundles, _found)
    return found or None


def parts_in(labels: list[Labels]) -> list[int]:
    """The rows that are parts of histograms; cheap where none is, as label sets are sorted."""
    return [row for row, pairs in enumerate(labels) if pairs and pairs[0][0] <= COMPONENT and part_of(pairs)]


def parts_of_all(lists: list[list[Labels]]) -> tuple[list[Ints], LabelSets]:
    """The rows of parts in each list, and their label sets one list after the other; remembered like `bundles`."""
    first, *others = lists

    def make(_: list[Labels]) -> tuple[list[Ints], LabelSets, list[list[Labels]]]:
        rows = [np.array(parts_in(labels), dtype=np.int64) for labels in lists]
        parts = LabelSets(labels[row] for labels, own in zip(lists, rows, strict=True) for row in own.tolist())
        return rows, parts, others  # which are held, so that no other lists have their ids

    rows, parts, _ = derived(first, (Bundles, *map(id, others)), make)
    return rows, parts


def _found(labels: list[Labels]) -> Bundles | tuple[()]:
    parts = parts_in(labels)
    return _bundled(labels, parts) if parts else ()


def _bundled(labels: list[Labels], rows: list[int]) -> Bundles:
    series: dict[Labels, _Columns] = {}
    for column in rows:
        series.setdefault(plain(labels[column]), {})[part_of(labels[column])] = column
    each = list(series.values())
    single = {name: np.array([parts.get(name, -1) for parts in each], dtype=np.int64) for name in _SINGLE}
    found: dict[int, dict[int, dict[int, int]]] = {}
    custom: dict[int, Custom] = {}
    for number, parts in enumerate(each):
        bounds = sorted((float(part[3:]), column) for part, column in parts.items() if _CUSTOM.fullmatch(part))
        if bounds:
            columns = np.array([column for _, column in bounds], dtype=np.int64)
            custom[number] = Custom(tuple(bound for bound, _ in bounds), columns)
        for part, column in parts.items():
            bucket = _EXPONENTIAL.fullmatch(part)
            if bucket is not None:
                schema, key = int(bucket[1]), int(bucket[2]) + MIDDLE
                key = -key if bucket[3] else key
                found.setdefault(schema, {}).setdefault(key, {})[number] = column
    exponential = {schema: _matrix(buckets, single["zero"]) for schema, buckets in found.items()}
    others = np.setdiff1d(np.arange(len(labels)), rows)
    rest = LabelSets(labels[row] for row in others.tolist())
    return Bundles(LabelSets(series), (others, rest), single, exponential, custom)


def _matrix(buckets: dict[int, dict[int, int]], zero: Ints) -> tuple[Ints, Ints]:
    keys = np.array(sorted({0, *buckets}), dtype=np.int64)
    columns = np.full((len(keys), len(zero)), -1, dtype=np.int64)
    columns[np.searchsorted(keys, 0)] = zero
    for row, key in enumerate(keys.tolist()):
        for number, column in buckets.get(key, {}).items():
            columns[row, number] = column
    return keys, columns
