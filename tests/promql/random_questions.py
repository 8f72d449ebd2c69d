"""Questions put together at random, but type-correct: what no author of a list of questions thinks of.

Only what Prometheus 2 and 3 answer alike: ranges do not begin on the grid of the samples or of a subquery, counters are
far from zero, nothing is infinite, nothing jumps where the last digit differs.
"""

from __future__ import annotations

import random

_GAUGES = ("temperature", 'temperature{code!="404"}', '{__name__=~"temp.*", instance=~"h[01]"}', "info", "nothing")
_COUNTERS = ("requests_total", 'requests_total{code=~"2..|5.."}', "latency_bucket")
_LABELS = ("code", "instance", "version", "le", "none")
_WINDOWS = ("45s", "1m", "2m", "3m10s", "7m")
_OF_ONE = ("abs", "sqrt", "atan", "absent", "sort", "-")
_OF_RANGES = (
    "delta", "irate", "idelta", "deriv", "changes", "resets", "avg_over_time", "min_over_time",
    "max_over_time", "sum_over_time", "count_over_time", "last_over_time", "stddev_over_time", "present_over_time",
    "absent_over_time",
)  # fmt: skip
_AGGREGATIONS = ("sum", "avg", "min", "max", "count", "group", "stddev")
_OPERATORS = ("+", "-", "*", "/", "%", "==", "!=", ">", "<", ">=", "== bool", "> bool", "and", "or", "unless")


class RandomQuestions:
    """Makes them: the same ones of the same seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def question(self, depth: int = 3) -> str:
        """An instant vector."""
        if depth <= 0 or self._dice.random() < 0.1:
            return self._selector() + self._when()
        kind = self._dice.randrange(8)
        if kind == 0:
            return f"{self._dice.choice(_OF_ONE)}({self.question(depth - 1)})"
        if kind == 1 and self._dice.random() < 0.3:
            name = self._dice.choice(("rate", "increase"))
            return f"{name}({_COUNTERS[0]}[{self._dice.choice(_WINDOWS)}]{self._when()})"
        if kind <= 2:
            return f"{self._dice.choice(_OF_RANGES)}({self._range()})"
        if kind <= 4:
            return f"{self._dice.choice(_AGGREGATIONS)}{self._grouping()}({self.question(depth - 1)})"
        if kind == 5:
            wanted = self._dice.choice(("0", "0.3", "0.95", "1"))
            return f"quantile{self._grouping()}({wanted}, {self.question(depth - 1)})"
        operator = self._dice.choice(_OPERATORS)
        if kind == 6 and operator not in ("and", "or", "unless"):
            return f"({self.question(depth - 1)} {operator} {self._number()})"
        return f"({self.question(depth - 1)} {operator}{self._matching(operator)} {self.question(depth - 1)})"

    def _selector(self) -> str:
        return self._dice.choice(self._dice.choice((_GAUGES, _COUNTERS)))

    def _when(self) -> str:
        return self._dice.choice(("", "", "", " offset 1m", " offset -2m", " @ end()", " @ start() offset 3m"))

    def _number(self) -> str:
        return self._dice.choice(("0.25", "0.5", "1", "20", "-3", "1e3", "scalar(sum(temperature))"))

    def _range(self) -> str:
        window = self._dice.choice(_WINDOWS)
        if self._dice.random() < 0.3:
            inner = f"({self._selector()} {self._dice.choice(_OPERATORS[:10])} {self._number()})"
            return f"{inner}[{window}:{self._dice.choice(('30s', '1m'))}]"
        return f"{self._selector()}[{window}]{self._when()}"

    def _labels(self) -> str:
        return f"({', '.join(self._dice.sample(_LABELS, self._dice.randrange(3)))})"

    def _grouping(self) -> str:
        return self._dice.choice(("", f" by {self._labels()} ", f" without {self._labels()} "))

    def _matching(self, operator: str) -> str:
        how = self._dice.choice(("", f" on {self._labels()}", f" ignoring {self._labels()}"))
        if not how or operator in ("and", "or", "unless"):
            return how
        return how + self._dice.choice(("", " group_left", " group_right (version)"))
