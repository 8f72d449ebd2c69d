"""info(): labels of info metrics (`target_info` by default) joined to the series they describe."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Mask
from sanso.model.labels import NAME, Labels, labels_of, render, value_of
from sanso.model.matchers import Matcher
from sanso.promql.evaluation import Evaluation
from sanso.promql.tree import Function, Selector, bare
from sanso.promql.values import Vector, blank, present, settled, trimmed

_IDENTIFYING = ("instance", "job")
_DEFAULT = Matcher(NAME, "=", "target_info")


def info(evaluation: Evaluation, node: Function) -> Vector:
    """The first argument's series, with the labels of the info series that have the same instance and job.

    Raises:
        QueryError: Two info series of one metric describe the same target, or two metrics say different things.
    """
    base = evaluation.vector(node.args[0])
    named, data = _matchers(node)
    described = Vector([], base.values[:0])
    if base.labels:
        selector = Selector(((*named, *data, *_about(base.labels)),))
        found, own = evaluation.source.instant(selector, evaluation.steps)
        described = Vector(found.labels, _newest(found, own))
    joining = _Joining(named, data, described)
    labels: list[Labels] = []
    rows: list[int] = []
    masks: list[Mask] = []
    for row, (name, held) in enumerate(zip(base.labels, base.held, strict=True)):
        for joined, mask in joining.of(name, held):
            labels.append(joined)
            rows.append(row)
            masks.append(mask)
    if not rows:
        return Vector([], base.values[:0])
    return trimmed(settled(base.rows(rows).named(labels).where(np.array(masks))))


def _matchers(node: Function) -> tuple[list[Matcher], list[Matcher]]:
    """What the second argument says of info metrics' names, and of their labels."""
    selector = bare(node.args[1]) if len(node.args) > 1 else None
    given = selector.choices[0] if isinstance(selector, Selector) else ()
    named = [matcher for matcher in given if matcher.name == NAME]
    return named or [_DEFAULT], [matcher for matcher in given if matcher.name != NAME]


def _about(labels: Iterable[Labels]) -> list[Matcher]:
    """Info series of these series' targets only, where they are few enough to name."""
    matchers = []
    for name in _IDENTIFYING:
        values = {value_of(series, name) for series in labels}
        if len(values) == 1:
            matchers.append(Matcher(name, "=", values.pop()))
    return matchers


def _target(labels: Labels) -> Labels:
    return tuple([pair for pair in labels if pair[0] in _IDENTIFYING])


def _newest(found: Vector, own: Floats) -> Floats:
    """Of the info series of one metric and target the one with the newest sample at each step.

    Raises:
        QueryError: Two are equally new.
    """
    rows: dict[tuple[str, Labels], list[int]] = {}
    for row, labels in enumerate(found.labels):
        rows.setdefault((value_of(labels, NAME), _target(labels)), []).append(row)
    values = found.values.copy()
    for places in rows.values():
        if len(places) == 1:
            continue
        times = np.where(present(found.values[places]), own[places], -np.inf)
        newest = times == times.max(axis=0)
        twice = (newest & np.isfinite(times)).sum(axis=0) > 1
        if twice.any():
            step = int(np.argmax(twice))
            first, second, *_ = [places[place] for place in np.flatnonzero(newest[:, step]).tolist()]
            at = int(own[first, step] * 1000)
            raise QueryError(
                f"found duplicate series for info metric: existing {render(found.labels[first])} @ {at}, "
                f"new {render(found.labels[second])} @ {at}",
                "execution",
            )
        values[places] = blank(values[places], newest & np.isfinite(times))
    return values


class _Joining:
    """Joins info series to one series after the other."""

    def __init__(self, named: list[Matcher], data: list[Matcher], described: Vector) -> None:
        self._named = named
        self._wanted = {matcher.name for matcher in data}
        self._optional = all(matcher.matches("") for matcher in data)
        self._held = present(described.values)
        self._labels = described.labels
        self._of: dict[Labels, list[int]] = {}
        for row, labels in enumerate(described.labels):
            self._of.setdefault(_target(labels), []).append(row)

    def of(self, labels: Labels, held: Mask) -> Iterable[tuple[Labels, Mask]]:
        """The names that a series has with its info labels, and at which steps it has each."""
        if all(matcher.accepts(labels) for matcher in self._named):
            return [(labels, held)]  # an info series itself
        rows = self._of.get(_target(labels), [])
        masks, groups = np.unique(self._held[rows], axis=1, return_inverse=True)
        found: list[tuple[Labels, Mask]] = []
        for number, mask in enumerate(masks.T):
            added = self._added([rows[place] for place in np.flatnonzero(mask).tolist()], labels)
            if mask.any() or self._optional:
                found.append((labels_of({**added, **dict(labels)}), held & (groups.ravel() == number)))
        return found

    def _added(self, rows: list[int], base: Labels) -> dict[str, str]:
        """The labels that info series add to a series.

        Raises:
            QueryError: They do not agree.
        """
        own = {name for name, _ in base}
        added: dict[str, str] = {}
        for row in rows:
            for name, value in self._labels[row]:
                if name == NAME or name in _IDENTIFYING or (self._wanted and name not in self._wanted):
                    continue
                if added.get(name, value) != value:
                    raise QueryError(f"conflicting label: {name}", "execution")
                if name not in own:
                    added[name] = value
        return added
