"""What OpenMetrics 1.0 demands of a page's numbers: gathered once a shape, judged as whole columns on every page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

import numpy as np

from sanso.exposition.page import NO_TIME
from sanso.model.frame import Floats, Mask, Times

Rule: TypeAlias = Literal[
    "must be a whole number, not negative",
    "must be a number, not negative",
    "must not be negative",
    "must not be NaN",
    "must be 1",
    "must be 0 or 1",
]
Relation: TypeAlias = Literal[
    "must not be less than the bucket before",
    "must be the same as the +Inf bucket",
    "is of the same metric",
    "is of the same series",
]
_BROKEN: dict[Rule, Callable[[Floats], Mask]] = {
    "must be a whole number, not negative": lambda values: (
        ~((values >= 0) & np.isfinite(values) & (values == np.floor(values)))
    ),
    "must be a number, not negative": lambda values: ~(values >= 0),
    "must not be negative": lambda values: values < 0,
    "must not be NaN": np.isnan,
    "must be 1": lambda values: values != 1,
    "must be 0 or 1": lambda values: ~np.isin(values, (0.0, 1.0)),
}
_BROKEN_PAIR: dict[Relation, Callable[[Floats, Floats], Mask]] = {
    "must not be less than the bucket before": lambda before, after: after < before,
    "must be the same as the +Inf bucket": lambda before, after: after != before,
}
_Places: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.intp]]


class NumberRules:
    """Which sample lines, by their number among a page's samples, must hold what."""

    def __init__(self) -> None:
        self._lines: dict[Rule, list[int]] = {}
        self._pairs: dict[Relation, list[tuple[int, int]]] = {}

    def demand(self, rule: Rule, line: int) -> None:
        """One line's number must hold a rule."""
        self._lines.setdefault(rule, []).append(line)

    def relate(self, relation: Relation, before: int, after: int) -> None:
        """The number of a line must stand so to that of a line above."""
        self._pairs.setdefault(relation, []).append((before, after))

    def take(self, others: NumberRules, offset: int) -> None:
        """The rules of a part of the page that begins with the sample line `offset`."""
        for rule, lines in others._lines.items():
            self._lines.setdefault(rule, []).extend([line + offset for line in lines])
        for relation, pairs in others._pairs.items():
            moved = [(before + offset, after + offset) for before, after in pairs]
            self._pairs.setdefault(relation, []).extend(moved)

    def compiled(self) -> CompiledRules:
        """As arrays."""
        return CompiledRules(self._lines, self._pairs)


class CompiledRules:
    """The rules of one page shape, each judged with one comparison."""

    def __init__(self, lines: dict[Rule, list[int]], pairs: dict[Relation, list[tuple[int, int]]]) -> None:
        self._lines = [(rule, np.array(found, dtype=np.intp)) for rule, found in lines.items()]
        self._pairs = {relation: np.array(found, dtype=np.intp).T for relation, found in pairs.items()}

    def judge(self, values: Floats, times: Times | None) -> tuple[int, str] | None:
        """The number of a sample line that breaks a rule, and which; None where all is well."""
        for rule, lines in self._lines:
            broken = _BROKEN[rule](values[lines])
            if broken.any():
                return int(lines[broken][0]), rule
        for relation, is_broken in _BROKEN_PAIR.items():
            before, after = self._related(relation)
            broken = is_broken(values[before], values[after])
            if broken.any():
                return int(after[broken][0]), relation
        return self._judge_times(times)

    def settle(self, values: Floats, times: Times) -> Floats:
        """The values where, of lines of one series with the same millisecond, the earliest counts."""
        before, after = self._related("is of the same series")
        same = np.flatnonzero(times[before] == times[after])
        if len(same):
            values = values.copy()
            for pair in same.tolist():  # in the order of the page: three in a row take the first's
                values[after[pair]] = values[before[pair]]
        return values

    def _judge_times(self, times: Times | None) -> tuple[int, str] | None:
        _, after = self._related("is of the same series")
        if times is None:
            return (int(after[0]), "stands twice") if len(after) else None
        above, below = self._related("is of the same metric")
        checks: Iterable[tuple[_Places, Mask, str]] = (
            (below, (times[above] == NO_TIME) != (times[below] == NO_TIME), "has a time and its metric none, or none"),
            (below, times[below] < times[above], "has a time before the sample above"),
            (after, times[after] == NO_TIME, "stands twice"),
        )
        for lines, broken, rule in checks:
            if broken.any():
                return int(lines[broken][0]), rule
        return None

    def _related(self, relation: Relation) -> tuple[_Places, _Places]:
        pairs = self._pairs.get(relation)
        return (pairs[0], pairs[1]) if pairs is not None else (_NONE, _NONE)


_NONE: _Places = np.array([], dtype=np.intp)
