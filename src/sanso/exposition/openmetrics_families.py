"""The metric families of an OpenMetrics page, judged while they are read: names, labels, order and grouping."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sanso.exposition.openmetrics_rules import NumberRules
from sanso.exposition.series_text import shown, unescape, utf8
from sanso.model.errors import DecodeError, LineError
from sanso.model.frame import Family, FamilyType
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
STORED_SUFFIX = {"counter": "_total", "info": "_info"}
"""What follows a family's name in the name under which its series are known."""
_TYPE_AS_STORED: dict[str, FamilyType] = {"gaugehistogram": "histogram"}
_META = re.compile(rb"# (TYPE|HELP|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*+) (.*)", re.DOTALL)


@dataclass
class Section:
    """Families between two lines of a page that are each the first metadata line after samples.

    Attributes:
        labels: Each sample line's series.
        families: Those with metadata.
        names: Of each family, its own and every name that its samples may have.
        rules: For the numbers, by the sample lines of this section.
        bounds: The most that an exemplar of each sample line may be; None where it may have none.
    """

    labels: list[Labels] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    names: list[tuple[str, list[str]]] = field(default_factory=list)
    rules: NumberRules = field(default_factory=NumberRules)
    bounds: list[float | None] = field(default_factory=list)


def read_section(
    metadata: Sequence[bytes], prefixes: Sequence[bytes], labels_of: Callable[[bytes], Labels], start: int
) -> Section:
    """One section of a page.

    Args:
        metadata: Its lines that begin with `#`; they come first.
        prefixes: Its sample lines up to their numbers.
        labels_of: Gives the labels of a prefix.
        start: How many lines of the page stand before it.

    Raises:
        DecodeError: It breaks the standard; the text names the line.
    """
    section = Section()
    family: _FamilyJudge | None = None
    number = start
    try:
        for number, line in enumerate(metadata, start + 1):  # noqa: B007 - the error tells it
            what, name, text = _described(line)
            if family is None or family.name != name:
                _end(family, section)
                family = _FamilyJudge(name, section)
            family.describe(what, text)
        for number, prefix in enumerate(prefixes, start + len(metadata) + 1):  # noqa: B007
            labels = labels_of(prefix)
            name = metric_name(labels)
            if family is None or not family.takes(name):
                _end(family, section)
                family = _FamilyJudge(name, section)
            family.sample(labels)
        _end(family, section)
    except DecodeError as error:
        raise LineError(number, error) from error
    return section


def _end(family: _FamilyJudge | None, section: Section) -> None:
    if family is not None:
        section.names.append((family.name, family.sample_names()))
        told = family.end()
        if family.described:
            section.families.append(told)


def _described(line: bytes) -> tuple[str, str, str]:
    """A metadata line as keyword, name and text."""
    found = _META.fullmatch(line)
    if found is None:
        raise DecodeError(f"# TYPE, # HELP or # UNIT, a name and a text are expected, not {shown(line)}")
    what, name, text = found[1].decode(), found[2].decode(), found[3]
    if what == "HELP":
        text = unescape(text)  # a quote that is not escaped is let pass, as the standard's own tests have it
    return what, name, utf8(text, "a metadata text")


class _FamilyJudge:
    """One metric family while its lines are read, from its first to its last.

    Attributes:
        name: As the metadata lines give it.
        type: The type told, or unknown.
        described: Texts by keyword.
    """

    def __init__(self, name: str, section: Section) -> None:
        self.name = name
        self.type = "unknown"
        self.described: dict[str, str] = {}
        self._section = section
        self._rules = section.rules
        self._metric: Labels | None = None
        self._metrics: set[Labels] = set()
        self._seen: dict[Labels, int] = {}
        self._point = _Point()

    def describe(self, what: str, text: str) -> None:
        """A metadata line."""
        if what in self.described:
            raise DecodeError(f"a second {what} of {self.name}")
        if what == "TYPE" and text not in SUFFIXES:
            raise DecodeError(f"{text!r} is not a type of OpenMetrics")
        if what == "UNIT" and text and not self.name.endswith(f"_{text}"):
            raise DecodeError(f"the name {self.name} must end with its unit, _{text}")
        self.described[what] = text
        self.type = self.described.get("TYPE", "unknown")
        if self.type in ("info", "stateset") and self.described.get("UNIT"):
            raise DecodeError(f"a family of type {self.type} has no unit")

    def takes(self, sample: str) -> bool:
        """Whether a sample of that name belongs here."""
        return sample.startswith(self.name) and sample[len(self.name) :] in SUFFIXES[self.type]

    def sample_names(self) -> list[str]:
        """Every name a sample of the family may have, and its own."""
        return [self.name, *(self.name + suffix for suffix in SUFFIXES[self.type] if suffix)]

    def sample(self, labels: Labels) -> None:
        """A sample line."""
        line = len(self._section.labels)
        self._section.labels.append(labels)
        suffix = metric_name(labels)[len(self.name) :]
        own = self._own_label(suffix)
        self._check_own_labels(own, labels)
        metric = without(labels, (NAME, own))
        if metric != self._metric:
            self._end_point()
            if metric in self._metrics:
                raise DecodeError("the samples of one metric must stand together")
            self._metrics.add(metric)
            self._metric, self._seen = metric, {}
        else:
            self._rules.relate("is of the same metric", line - 1, line)
        if labels in self._seen:
            self._rules.relate("is of the same series", self._seen[labels], line)
            if labels in self._point.series:  # the same metric at a later time
                self._end_point()
        self._seen[labels] = line
        self._rule_number(line, suffix)
        bound = self._point.add(line, suffix, labels, self._rules)
        counts = suffix == "_total"
        self._section.bounds.append(bound if suffix == "_bucket" else math.inf if counts else None)

    def end(self) -> Family:
        """No more lines."""
        self._end_point()
        stored = self.name + STORED_SUFFIX.get(self.type, "")
        kind = _TYPE_AS_STORED.get(self.type, self.type)
        return Family(stored, kind, self.described.get("HELP", ""), self.described.get("UNIT", ""))  # type: ignore[arg-type]

    def _own_label(self, suffix: str) -> str:
        """The label that tells samples of one metric apart; empty where none does."""
        if suffix == "_bucket":
            return "le"
        if self.type == "summary" and not suffix:
            return "quantile"
        return self.name if self.type == "stateset" else ""

    def _check_own_labels(self, own: str, labels: Labels) -> None:
        text = value_of(labels, own) if own else ""
        number = _number(text)
        if own == "le" and number is None:
            raise DecodeError(f"a bucket needs a label le that is a number, not {text!r}")
        if own == "quantile" and (number is None or not 0 <= number <= 1):
            raise DecodeError("a summary's sample needs a label quantile from 0 to 1")
        if self.type == "stateset" and not text:
            raise DecodeError(f"a state needs a label {self.name}")
        reserved = {"histogram": "le", "gaugehistogram": "le", "summary": "quantile"}.get(self.type, "")
        if reserved and reserved != own and value_of(labels, reserved):
            raise DecodeError(f"only the parts of a {self.type} have a label {reserved}")

    def _rule_number(self, line: int, suffix: str) -> None:
        if suffix in ("_bucket", "_count", "_gcount"):
            self._rules.demand("must be a whole number, not negative", line)
        elif suffix in ("_total", "_sum"):
            self._rules.demand("must be a number, not negative", line)
        elif suffix == "_gsum":
            self._rules.demand("must not be NaN", line)
        elif self.type == "summary" and not suffix:
            self._rules.demand("must not be negative", line)
        elif self.type == "info":
            self._rules.demand("must be 1", line)
        elif self.type == "stateset":
            self._rules.demand("must be 0 or 1", line)

    def _end_point(self) -> None:
        if self._metric is not None:
            self._point.end(self.type, self._rules)
            self._point = _Point()


class _Point:
    """The samples of one metric at one time."""

    def __init__(self) -> None:
        self.series: set[Labels] = set()
        self._suffixes: dict[str, int] = {}
        self._bound = -math.inf
        self._bucket = -1
        self._negative = False

    def add(self, line: int, suffix: str, labels: Labels, rules: NumberRules) -> float:
        """A sample; the bound of its bucket, or of the last one."""
        self.series.add(labels)
        self._suffixes[suffix] = line
        if suffix == "_bucket":
            bound = float(value_of(labels, "le"))
            if self._bucket >= 0:
                if bound <= self._bound:
                    raise DecodeError("buckets must stand in rising order of le")
                rules.relate("must not be less than the bucket before", self._bucket, line)
            self._negative |= bound < 0
            self._bound, self._bucket = bound, line
        return self._bound

    def end(self, kind: str, rules: NumberRules) -> None:
        """The point is whole, or a DecodeError."""
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
            rules.relate("must be the same as the +Inf bucket", self._bucket, found[count])
        if self._negative and "_sum" in found:
            raise DecodeError("a histogram with negative buckets has no _sum")
        if kind == "gaugehistogram" and not self._negative and total in found:
            rules.demand("must not be negative", found[total])


def _number(text: str) -> float | None:
    """The number of a label; infinity has one spelling only."""
    try:
        number = float(text)
    except ValueError:
        return None
    wrong = math.isnan(number) or "_" in text or text != text.strip() or (number == math.inf and text != "+Inf")
    return None if wrong else number
