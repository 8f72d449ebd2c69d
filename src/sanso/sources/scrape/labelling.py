"""From a page's series to those that are stored: the target's labels, metric relabelling, limits.

All of it is done once for a set of series: a page that repeats the last one's `Columns` costs two array operations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanso.exposition.number_labels import NUMBER_LABELS, spelled
from sanso.exposition.page import NO_TIME, Limits, Page
from sanso.exposition.series_text import TEXT_PREFIX, series_labels
from sanso.model.errors import DecodeError, SourceError
from sanso.model.frame import Columns, Floats, Times
from sanso.model.labels import NAME, Labels, labels_of, metric_name
from sanso.model.native_histogram import COMPONENT, part_of, plain
from sanso.sources.scrape.relabel import relabelled
from sanso.sources.scrape.settings import ScrapeJob, ScrapeLimits

_MOST_PAIRS = 200_000
_ANY_LENGTH = 1 << 40
_EXPORTED = "exported_"


class LabelPairs:
    """Pairs that many series share, held once; of all targets together."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}

    def labels(self, pairs: Mapping[str, str]) -> Labels:
        """Labels made of shared pairs."""
        if len(self._pairs) > _MOST_PAIRS:  # values that come and go must not be held for ever
            self._pairs.clear()
        return tuple([self._pairs.setdefault(pair, pair) for pair in labels_of(pairs)])


class LimitError(SourceError):
    """A page has more than its job allows; `samples` lines were read, `kept` were left after relabelling."""

    def __init__(self, message: str, samples: int, kept: int) -> None:
        super().__init__(message)
        self.samples = samples
        self.kept = kept


@dataclass(frozen=True)
class _Mapped:
    """What the series of a page are stored as.

    Attributes:
        labels: Of each column; None for one that is dropped.
        floats: How many columns, the first ones, are plain series; the others are parts of histograms.
        histograms: How many histograms are left after relabelling.
        merged: Of them, those that relabelling made like another one before them.
    """

    labels: tuple[Labels | None, ...] = ()
    floats: int = 0
    histograms: int = 0
    merged: int = 0


@dataclass(frozen=True, eq=False)
class Placing:
    """Where the cells of a page go; the same object as long as the page's series are the same.

    Attributes:
        columns: Series stamped with the scrape's time, then the report's.
        cells: The page's cells that they take; None for all in order.
        timed: Series with times of their own.
        timed_cells: The page's cells that those take.
        kept: Series that are left after relabelling.
        added: Of them, those that the placing before did not have.
        merged: Series that are given up because relabelling made two alike; the first counts.
    """

    columns: Columns
    cells: NDArray[np.intp] | None
    timed: tuple[Labels, ...]
    timed_cells: NDArray[np.intp]
    kept: int
    added: int
    merged: int


class Labeller:
    """Places the pages of one target.

    Args:
        job: Relabelling, limits, whose labels go first.
        target: Labels of the target.
        report: Series of the report on each scrape.
        pairs: Shared among targets.
    """

    def __init__(self, job: ScrapeJob, target: Labels, report: Sequence[Labels], pairs: LabelPairs) -> None:
        self._job = job
        self._target = target
        self._report = tuple(report)
        self._pairs = pairs
        self._raw = Columns(())
        self._mapped = _Mapped()
        self._bases: dict[Labels, Labels | None] = {}
        self._by_name: dict[Labels, Labels | None] | None = None
        self._mask = b""
        self._placing: Placing | None = None

    def place(self, page: Page, body: bytes) -> Placing:
        """Where this page's cells go.

        Raises:
            LimitError: There are more series or longer labels than the job allows.
            SourceError: Relabelling leaves a series without a name.
        """
        timed = _timed(page.times) if self._job.honor_timestamps else None
        mask = b"" if timed is None else timed.tobytes()
        if page.row.columns is self._raw and mask == self._mask and self._placing is not None:
            return self._placing
        mapped = self._map(page, body)
        placing = self._placed(mapped, timed)
        self._check(placing.kept, page, mapped)
        self._raw, self._mapped, self._mask = page.row.columns, mapped, mask
        self._by_name = None
        self._placing = _settled(placing)
        return placing

    def kept(self, page: Page, placing: Placing) -> int:
        """Samples of the last page that are left; lines of a series that stood before count too, as in Prometheus."""
        return placing.kept - page.missing + sum(self.stored(labels) is not None for labels in page.twice)

    def stored(self, labels: Labels) -> Labels | None:
        """What a series of the last page is stored as; None where it is not."""
        if self._by_name is None:
            self._by_name = {**dict(zip(self._raw.labels, self._mapped.labels, strict=True)), **self._bases}
        return self._by_name.get(labels)

    def _map(self, page: Page, body: bytes) -> _Mapped:
        columns = page.row.columns
        if columns is self._raw:
            return self._mapped
        known = dict(zip(self._raw.labels, self._mapped.labels, strict=True))
        empty: Mapping[Labels, frozenset[str]] = {}
        if self._job.honor_labels:
            names = [name for name, _ in self._target]
            empty = page.emptied if page.emptied is not None else _empty_labels(body, names)
        mapped: list[Labels | None] = []
        floats = len(columns.labels) - page.parts
        for labels in columns.labels[:floats]:
            if labels in known and labels not in empty:
                mapped.append(known[labels])
            else:
                mapped.append(self._final(labels, empty, mapped))
        histograms = self._map_parts(columns.labels[floats:], known, empty, mapped)
        kept = sum(each is not None for each in histograms.values())
        self._bases = histograms
        return _Mapped(tuple(mapped), floats, kept, kept - len({*histograms.values()} - {None}))

    def _map_parts(
        self,
        parts: Sequence[Labels],
        known: Mapping[Labels, Labels | None],
        empty: Mapping[Labels, frozenset[str]],
        mapped: list[Labels | None],
    ) -> dict[Labels, Labels | None]:
        """Append what the parts of histograms are stored as; what each histogram is. It is relabelled as a whole."""
        histograms: dict[Labels, Labels | None] = {}
        owners: dict[Labels, Labels] = {}
        for labels in parts:
            base = plain(labels)
            if base not in histograms:
                before = base in self._bases and base not in empty
                histograms[base] = self._bases[base] if before else self._final(base, empty, mapped)
            final = histograms[base]
            if final is None or owners.setdefault(final, base) != base:
                mapped.append(None)
                continue
            held = known.get(labels)
            same = held is not None and plain(held) == final
            mapped.append(held if same else self._pairs.labels({**dict(final), COMPONENT: part_of(labels)}))
        return histograms

    def _final(
        self, labels: Labels, empty: Mapping[Labels, frozenset[str]], mapped: Sequence[Labels | None]
    ) -> Labels | None:
        """What a series is stored as, within the limits; `mapped` are those before it."""
        final = self._labelled(labels, empty.get(labels, frozenset()))
        if final is not None:
            problem = _too_long(final, self._job.limits)
            if problem:  # as in Prometheus, the count goes as far as the page was read
                raise LimitError(problem, len(mapped) + 1, sum(each is not None for each in mapped))
        return final

    def _labelled(self, labels: Labels, empty: frozenset[str]) -> Labels | None:
        found: dict[str, str] | None = dict(labels)
        assert found is not None
        if self._job.honor_labels:
            for name, value in self._target:
                if name not in empty:
                    found.setdefault(name, value)
        else:
            clashes = [(name, found[name]) for name, _ in self._target if name in found]
            found.update(self._target)
            for name, value in sorted(clashes, key=lambda clash: len(clash[0])):
                other = _EXPORTED + name
                while other in found:
                    other = _EXPORTED + other
                found[other] = value
        if self._job.metric_relabel:
            found = relabelled(found, self._job.metric_relabel)
        if not found:
            return None
        if NAME not in found:
            raise SourceError("missing metric name (__name__ label) after metric_relabel_configs")
        if "" in found:
            raise SourceError("a label without a name after metric_relabel_configs")
        return self._pairs.labels(found)

    def _placed(self, mapped: _Mapped, timed: NDArray[np.bool_] | None) -> Placing:
        first: dict[Labels, int] = {}
        for cell, labels in enumerate(mapped.labels):
            if labels is not None:
                first.setdefault(labels, cell)
        floats = sum(labels is not None for labels in mapped.labels[: mapped.floats])
        kept = floats + mapped.histograms
        before = frozenset(self._mapped.labels)
        added = sum(
            labels not in before and (cell < mapped.floats or part_of(labels) == "schema")
            for labels, cell in first.items()
        )
        report = frozenset(self._report)
        plain_cells = [cell for cell in first.values() if timed is None or not timed[cell]]
        plain_cells = [cell for cell in plain_cells if mapped.labels[cell] not in report]
        stamped = [cell for cell in first.values() if timed is not None and timed[cell]]
        columns = Columns((*_there(mapped, plain_cells), *self._report))
        placed = sum(cell < mapped.floats for cell in (*plain_cells, *stamped))
        return Placing(
            columns=columns,
            cells=None if len(plain_cells) == len(mapped.labels) else np.array(plain_cells, dtype=np.intp),
            timed=_there(mapped, stamped),
            timed_cells=np.array(stamped, dtype=np.intp),
            kept=kept,
            added=added,
            merged=floats - placed + mapped.merged,
        )

    def _check(self, kept: int, page: Page, mapped: _Mapped) -> None:
        limit = self._job.limits.samples
        if limit and kept > limit:
            said = f"sample limit exceeded: {kept} samples, limit {limit}"
            stored = dict(zip(page.row.columns.labels, mapped.labels, strict=True))
            raise LimitError(said, page.samples, kept + sum(stored.get(labels) is not None for labels in page.twice))


def page_limits(limits: ScrapeLimits) -> Limits:
    """How much of a page is read at all: what relabelling may still drop must pass."""
    least = Limits()

    def most(given: int, at_least: int) -> int:
        return max(given, at_least) if given else _ANY_LENGTH

    return Limits(
        body_bytes=limits.body_bytes or _ANY_LENGTH,
        samples=most(limits.samples, least.samples),
        labels=most(limits.labels, least.labels),
        label_name_bytes=most(limits.label_name_length, least.label_name_bytes),
        label_value_bytes=most(limits.label_value_length, least.label_value_bytes),
    )


def cells_of(values: Floats, cells: NDArray[np.intp] | None) -> Floats:
    """The cells of a page that a row takes."""
    return values if cells is None else values[cells]


def _too_long(labels: Labels, limits: ScrapeLimits) -> str:
    """Which limit a series is beyond; empty for none."""
    metric = metric_name(labels)[:50]
    if limits.labels and len(labels) > limits.labels:
        return f"label_limit exceeded (metric: {metric}, number of labels: {len(labels)}, limit: {limits.labels})"
    most_name, most_value = limits.label_name_length or _ANY_LENGTH, limits.label_value_length or _ANY_LENGTH
    for name, value in labels:
        if len(name) * 4 <= most_name and len(value) * 4 <= most_value:  # no character has more than four bytes
            continue
        for what, part, most in (("name", name, most_name), ("value", value, most_value)):
            if len(part.encode("utf-8", "surrogatepass")) > most:
                return f"label_{what}_length_limit exceeded (metric: {metric}, label name: {name[:50]}, limit: {most})"
    return ""


def _there(mapped: _Mapped, cells: Sequence[int]) -> tuple[Labels, ...]:
    """The series of cells that are not dropped."""
    return tuple([labels for labels in (mapped.labels[cell] for cell in cells) if labels])


def _settled(placing: Placing) -> Placing:
    """The placing for the next page of the same series: nothing is added then."""
    return Placing(placing.columns, placing.cells, placing.timed, placing.timed_cells, placing.kept, 0, placing.merged)


def _timed(times: Times | None) -> NDArray[np.bool_] | None:
    if times is None:
        return None
    timed = times != NO_TIME
    return timed if timed.any() else None


def _empty_labels(body: bytes, names: Sequence[str]) -> dict[Labels, frozenset[str]]:
    """Series that give a target label as empty: with `honor_labels` they want none (pushgateway's `instance=""`)."""
    wanted = [name for name in names if f'{name}=""'.encode() in body]
    if not wanted:
        return {}
    found: dict[Labels, frozenset[str]] = {}
    sign = re.compile("|".join(rf'(?<![\w]){re.escape(name)}=""' for name in wanted).encode())
    for line in body.split(b"\n"):
        prefix = TEXT_PREFIX.match(line) if sign.search(line) and not line.startswith(b"#") else None
        if prefix is None:
            continue
        try:
            labels = series_labels(prefix[0], Limits(), strict=False)
        except DecodeError:
            continue  # the parser has judged the page already
        names_here = frozenset(name for name in wanted if f'{name}=""'.encode() in prefix[0])
        for number_label in ("", *NUMBER_LABELS.values()):  # whichever type the line stands under
            found[spelled(labels, number_label, strict=False)] = names_here
    return found
