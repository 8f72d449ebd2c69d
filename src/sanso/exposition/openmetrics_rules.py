"""What OpenMetrics 1.0 demands of a family: names, order, grouping; and of its numbers, checked a page at a time.

Structure is judged once, while a page's shape is learned; numbers on every page, as whole columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from sanso.exposition.page import NO_TIME
from sanso.model.errors import DecodeError
from sanso.model.frame import Family, FamilyType, Floats, Times
from sanso.model.labels import NAME, Labels, metric_name, value_of, without

SUFFIXES: dict[str, tuple[str, ...]] = {
    "unknown": ("",),
    "gauge": ("",),
    "stateset": ("",),
    "counter": ("_total", "_created"),
    "info": ("_info",),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "summary": ("", "_count", "_sum", "_created"),
}
TYPES = frozenset(SUFFIXES)
_NOT_NAN = frozenset({"_total", "_sum", "_count", "_bucket", "_gcount", "_gsum"})
_NOT_NEGATIVE = _NOT_NAN - {"_gsum"}
_STORED_NAMES = {"counter": "_total", "info": "_info"}
_TYPE_AS_STORED: dict[str, FamilyType] = {"gaugehistogram": "histogram"}


@dataclass
class NumberRules:
    """Which sample lines, by their number among the page's samples, must hold what."""

    not_nan: list[int] = field(default_factory=list)
    not_negative: list[int] = field(default_factory=list)
    ones: list[int] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    rising: list[tuple[int, int]] = field(default_factory=list)
    equal: list[tuple[int, int]] = field(default_factory=list)
    same_metric: list[tuple[int, int]] = field(default_factory=list)
    repeated: list[tuple[int, int]] = field(default_factory=list)

    def compiled(self) -> CompiledRules:
        """As arrays."""
        ones, bits, not_nan = (np.array(item, dtype=np.intp) for item in (self.ones, self.bits, self.not_nan))
        pairs = (np.array(item, dtype=np.intp).reshape(-1, 2) for item in (self.rising, self.equal))
        times = (np.array(item, dtype=np.intp).reshape(-1, 2) for item in (self.same_metric, self.repeated))
        return CompiledRules(not_nan, np.array(self.not_negative, dtype=np.intp), ones, bits, (*pairs, *times))


class CompiledRules:
    """The rules of one page shape, judged with one comparison each."""

    def __init__(
        self, not_nan: _Places, not_negative: _Places, ones: _Places, bits: _Places, pairs: tuple[_Places, ...]
    ) -> None:
        self._not_nan, self._not_negative, self._ones, self._bits = not_nan, not_negative, ones, bits
        self._rising, self._equal, self._same_metric, self._repeated = pairs

    def judge(self, values: Floats, times: Times | None) -> tuple[int, str] | None:
        """The number of a sample line that breaks a rule, and which; None where all is well."""
        checks = (
            (self._not_nan, np.isnan(values[self._not_nan]), "must not be NaN"),
            (self._not_negative, values[self._not_negative] < 0, "must not be negative"),
            (self._ones, values[self._ones] != 1, "must be 1"),
            (self._bits, ~np.isin(values[self._bits], (0.0, 1.0)), "must be 0 or 1"),
            (
                self._rising[:, 1],
                values[self._rising[:, 1]] < values[self._rising[:, 0]],
                "must not be less than the bucket before",
            ),
            (
                self._equal[:, 1],
                values[self._equal[:, 1]] != values[self._equal[:, 0]],
                "must be the same as the +Inf bucket",
            ),
        )
        for lines, broken, rule in checks:
            if broken.any():
                return int(lines[np.flatnonzero(broken)[0]]), rule
        return self._judge_times(times)

    def _judge_times(self, times: Times | None) -> tuple[int, str] | None:
        if times is None:
            if len(self._repeated):
                return int(self._repeated[0, 1]), "stands twice"
            return None
        before, after = times[self._same_metric[:, 0]], times[self._same_metric[:, 1]]
        twice = times[self._repeated[:, 1]] <= times[self._repeated[:, 0]]
        checks = (
            (
                self._same_metric[:, 1],
                (before == NO_TIME) != (after == NO_TIME),
                "has a time where its metric has none, or none",
            ),
            (self._same_metric[:, 1], after < before, "has a time before the sample above"),
            (self._repeated[:, 1], twice, "stands twice"),
        )
        for lines, broken, rule in checks:
            if broken.any():
                return int(lines[np.flatnonzero(broken)[0]]), rule
        return None


class FamilyJudge:
    """One metric family while its lines are read, from its first to its last.

    Attributes:
        name: As the metadata lines give it.
    """

    def __init__(self, name: str, rules: NumberRules) -> None:
        self.name = name
        self.described: dict[str, str] = {}
        self.has_samples = False
        self._rules = rules
        self._metric: Labels | None = None
        self._metrics: set[Labels] = set()
        self._last = -1
        self._point = _Point()
        self._seen: dict[Labels, int] = {}

    @property
    def type(self) -> str:
        """The type told, or unknown."""
        return self.described.get("TYPE", "unknown")

    def describe(self, what: str, text: str) -> None:
        """A metadata line.

        Raises:
            DecodeError: It comes too late, twice, or is wrong.
        """
        if self.has_samples:
            raise DecodeError(f"{what} of {self.name} comes after its samples")
        if what in self.described:
            raise DecodeError(f"a second {what} of {self.name}")
        if what == "TYPE" and text not in TYPES:
            raise DecodeError(f"{text!r} is not a type of OpenMetrics")
        if what == "UNIT" and text and not self.name.endswith(f"_{text}"):
            raise DecodeError(f"the name {self.name} must end with its unit, _{text}")
        self.described[what] = text
        if self.type in ("info", "stateset") and self.described.get("UNIT"):
            raise DecodeError(f"a family of type {self.type} has no unit")

    def takes(self, sample: str) -> bool:
        """Whether a sample of that name belongs here."""
        return sample.startswith(self.name) and sample[len(self.name) :] in SUFFIXES[self.type]

    def sample_names(self) -> list[str]:
        """Every name a sample of the family may have, and its own."""
        return [self.name, *(self.name + suffix for suffix in SUFFIXES[self.type] if suffix)]

    def sample(self, line: int, labels: Labels) -> None:
        """A sample line, by its number among the page's samples.

        Raises:
            DecodeError: It is not what the type allows, or its metric was left before.
        """
        self.has_samples = True
        suffix = metric_name(labels)[len(self.name) :]
        metric = without(labels, (NAME, *self._own_labels(suffix, labels)))
        if metric != self._metric:
            self._end_metric()
            if metric in self._metrics:
                raise DecodeError("the samples of one metric must stand together")
            self._metrics.add(metric)
            self._metric, self._seen = metric, {}
        else:
            self._rules.same_metric.append((self._last, line))
        if labels in self._seen:
            self._rules.repeated.append((self._seen[labels], line))
            if labels in self._point.series:  # the same metric at a later time
                self._end_point()
        self._seen[labels] = line
        self._last = line
        self._rule_numbers(line, suffix)
        self._point.add(line, suffix, labels, self._rules)

    def end(self) -> Family:
        """No more lines.

        Raises:
            DecodeError: Its last metric is not whole.
        """
        self._end_metric()
        stored = self.name + _STORED_NAMES.get(self.type, "")
        kind = _TYPE_AS_STORED.get(self.type, self.type)
        return Family(stored, kind, self.described.get("HELP", ""), self.described.get("UNIT", ""))  # type: ignore[arg-type]

    def _own_labels(self, suffix: str, labels: Labels) -> tuple[str, ...]:
        """The labels that tell samples of one metric apart."""
        if suffix == "_bucket":
            bound = value_of(labels, "le")
            if _number(bound) is None:
                raise DecodeError(f"a bucket needs a label le that is a number, not {bound!r}")
            return ("le",)
        if self.type == "summary" and not suffix:
            quantile = _number(value_of(labels, "quantile"))
            if quantile is None or not 0 <= quantile <= 1:
                raise DecodeError("a summary's sample needs a label quantile from 0 to 1")
            return ("quantile",)
        if self.type == "stateset":
            if not value_of(labels, self.name):
                raise DecodeError(f"a state needs a label {self.name}")
            return (self.name,)
        return ()

    def _rule_numbers(self, line: int, suffix: str) -> None:
        if suffix in _NOT_NAN:
            self._rules.not_nan.append(line)
        if suffix in _NOT_NEGATIVE or (self.type == "summary" and not suffix):
            self._rules.not_negative.append(line)
        if self.type == "info":
            self._rules.ones.append(line)
        if self.type == "stateset":
            self._rules.bits.append(line)

    def _end_metric(self) -> None:
        if self._metric is not None:
            self._end_point()

    def _end_point(self) -> None:
        self._point.end(self.type, self._rules)
        self._point = _Point()


class _Point:
    """The samples of one metric at one time."""

    def __init__(self) -> None:
        self.series: set[Labels] = set()
        self._suffixes: dict[str, int] = {}
        self._bound: float | None = None
        self._bucket = -1
        self._negative = False

    def add(self, line: int, suffix: str, labels: Labels, rules: NumberRules) -> None:
        self.series.add(labels)
        self._suffixes[suffix] = line
        if suffix != "_bucket":
            return
        bound = float(value_of(labels, "le"))
        if self._bound is not None:
            if bound <= self._bound:
                raise DecodeError("buckets must stand in rising order of le")
            rules.rising.append((self._bucket, line))
        self._negative |= bound < 0
        self._bound, self._bucket = bound, line

    def end(self, kind: str, rules: NumberRules) -> None:
        found = self._suffixes
        if kind == "counter" and "_total" not in found:
            raise DecodeError("a counter without its _total")
        if kind not in ("histogram", "gaugehistogram"):
            return
        count, total = ("_count", "_sum") if kind == "histogram" else ("_gcount", "_gsum")
        if self._bound != math.inf:
            raise DecodeError("a histogram without its +Inf bucket")
        if (count in found) != (total in found):
            raise DecodeError(f"a histogram has both {count} and {total} or neither")
        if count in found:
            rules.equal.append((self._bucket, found[count]))
        if self._negative and "_sum" in found:
            raise DecodeError("a histogram with negative buckets has no _sum")
        if kind == "gaugehistogram" and not self._negative and total in found:
            rules.not_negative.append(found[total])


def _number(text: str) -> float | None:
    """The number of a label; infinity has one spelling only."""
    try:
        number = float(text)
    except ValueError:
        return None
    wrong = math.isnan(number) or "_" in text or text != text.strip() or (number == math.inf and text != "+Inf")
    return None if wrong else number


_Places = np.ndarray[tuple[int, ...], np.dtype[np.intp]]
