"""Classic histograms as native ones of custom bounds, as Prometheus's `convert_classic_histograms_to_nhcb` has it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sanso.exposition.page import Exemplar, HistogramWish, Page
from sanso.model.errors import DecodeError
from sanso.model.frame import STALE, Columns, Family, Floats, Row
from sanso.model.labels import NAME, Labels, labels_of, metric_name, value_of
from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram, component, custom_part, parts

_SUFFIXES = ("_bucket", "_count", "_sum")
_CORE = ("schema", "count", "sum")


class _ContradictionError(DecodeError):
    """A classic histogram that is none."""


def custom_of(
    uppers: Sequence[float], cumulated: Sequence[float], count: float | None, total: float, wish: HistogramWish
) -> NativeHistogram:
    """The histogram of classic buckets.

    Args:
        uppers: Their bounds, rising; +Inf may be missing.
        cumulated: The observations up to each.
        count: Of all observations; None where that is not told.
        total: Their sum.
        wish: The most buckets.

    Raises:
        DecodeError: The buckets contradict each other or the count, or are too many.
    """
    counts = list(cumulated)
    if count is None:
        count = counts[-1] if counts else 0.0
    if not uppers or uppers[-1] != math.inf:
        counts.append(count)
    held = [after - before for before, after in zip([0.0, *counts[:-1]], counts, strict=True)]
    if count < 0 or not all(each >= 0 for each in held):
        raise _ContradictionError("the buckets of a histogram do not rise")
    if counts[-1] != count:
        told = f"{counts[-1]:g} observations are in its buckets"
        raise _ContradictionError(f"a histogram's count is {count:g}, but {told}")
    positive = tuple((index, each) for index, each in enumerate(held) if each)
    if wish.most_buckets and len(positive) > wish.most_buckets:
        raise DecodeError(f"histogram bucket limit exceeded: {len(positive)} buckets, limit {wish.most_buckets}")
    bounds = tuple(upper for upper in uppers if upper != math.inf)
    return NativeHistogram(CUSTOM_SCHEMA, count, total, positive=positive, bounds=bounds)


@dataclass
class _Classic:
    """The cells of a classic histogram: by bound, of its count and sum, and the first of them."""

    first: int
    buckets: dict[float, int] = field(default_factory=dict)
    single: dict[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many parts the native histogram has."""
        return len(_CORE) + len(self.buckets.keys() | {math.inf})

    def read(self, values: Floats, wish: HistogramWish) -> NativeHistogram:
        count, total = (self._value(values, suffix) for suffix in ("_count", "_sum"))
        cumulated = [float(values[cell]) for cell in self.buckets.values()]
        return custom_of(list(self.buckets), cumulated, count, total or 0.0, wish)

    def _value(self, values: Floats, suffix: str) -> float | None:
        cell = self.single.get(suffix)
        return None if cell is None else float(values[cell])


@dataclass(frozen=True)
class _Layout:
    """Where everything of a set of series goes."""

    classic: Mapping[Labels, _Classic]
    bases: Mapping[Labels, Labels]
    kept: NDArray[np.intp]
    columns: Columns


class CustomBuckets:
    """Converts the pages of one target; remembers the last set of series.

    Args:
        wish: Whether the classic series stay too, and how many buckets there may be.
    """

    def __init__(self, wish: HistogramWish) -> None:
        self._wish = wish
        self._seen = Columns(())
        self._families: tuple[Family, ...] = ()
        self._layout = _laid_out(self._seen, (), keep=True)

    def converted(self, page: Page) -> Page:
        """The page with native histograms for classic ones; one whose buckets contradict each other has none.

        Raises:
            DecodeError: A histogram has more buckets than wished.
        """
        same = page.families is self._families or page.families == self._families
        if page.row.columns is not self._seen or not same:
            names = [family.name for family in page.families if family.type == "histogram"]
            self._layout = _laid_out(page.row.columns, names, keep=self._wish.classic)
            self._seen, self._families = page.row.columns, page.families
        layout, values = self._layout, page.row.values
        if not layout.classic:
            return page
        cells, right = list[float](), 0
        for classic in layout.classic.values():
            try:
                found = list(parts(classic.read(values, self._wish)).values())
                right += 1
            except _ContradictionError:
                found = [STALE] * classic.size
            cells += found
        times = None
        if page.times is not None:
            sizes = [each.size for each in layout.classic.values()]
            firsts = np.repeat([each.first for each in layout.classic.values()], sizes)
            times = np.concatenate([page.times[layout.kept], page.times[firsts]])
        row = Row(layout.columns, np.concatenate([values[layout.kept], cells]))
        exemplars = tuple(each for each in map(self._exemplar, page.exemplars) if each is not None)
        return replace(
            page,
            row=row,
            times=times,
            exemplars=exemplars,
            histograms=right,
            parts=len(cells),
            missing=len(layout.classic) - right,
        )

    def _exemplar(self, exemplar: Exemplar) -> Exemplar | None:
        """Of the native histogram where its series is a part of one; without a time there is none then."""
        base = self._layout.bases.get(exemplar.series)
        if base is None:
            return exemplar
        return None if exemplar.time_ms is None else replace(exemplar, series=base)


def _laid_out(columns: Columns, names: Sequence[str], *, keep: bool) -> _Layout:
    gauges = {metric_name(labels).removesuffix("_gcount") for labels in columns.labels}  # those stay as they are
    histograms = frozenset(names) - gauges
    classic: dict[Labels, _Classic] = {}
    bases: dict[Labels, Labels] = {}
    for cell, labels in enumerate(columns.labels):
        base = _native_series(labels)
        if base is None or metric_name(base) not in histograms:
            continue
        bases[labels] = base
        found = classic.setdefault(base, _Classic(cell))
        suffix = metric_name(labels)[len(metric_name(base)) :]
        if suffix == "_bucket":
            found.buckets.setdefault(float(value_of(labels, "le")), cell)
        else:
            found.single[suffix] = cell
    for each in classic.values():
        each.buckets = dict(sorted(each.buckets.items()))
    kept = [cell for cell, labels in enumerate(columns.labels) if keep or labels not in bases]
    told = [columns.labels[cell] for cell in kept]
    for base, each in classic.items():
        uppers = sorted(each.buckets.keys() | {math.inf})
        told += [component(base, part) for part in (*_CORE, *map(custom_part, uppers))]
    return _Layout(classic, bases, np.array(kept, dtype=np.intp), Columns(tuple(told)))


def _native_series(labels: Labels) -> Labels | None:
    """The series of the native histogram of which this could be a part, by its name; None where it could not."""
    name = metric_name(labels)
    suffix = next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")
    if not suffix or (suffix == "_bucket" and not _is_bound(value_of(labels, "le"))):
        return None
    stem = (NAME, name.removesuffix(suffix))
    return labels_of([stem, *(pair for pair in labels if pair[0] not in (NAME, "le"))])


def _is_bound(text: str) -> bool:
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False
