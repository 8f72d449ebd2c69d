"""The series of a metric of the protobuf format, made once and shared by targets of one kind."""

from __future__ import annotations

from sanso.exposition.formats import canonical_float
from sanso.exposition.metric_messages import Place, read_exemplar, read_labels
from sanso.exposition.page import Exemplar, Limits
from sanso.exposition.series_text import checked_labels, unique_labels
from sanso.model.errors import DecodeError
from sanso.model.labels import NAME, Labels
from sanso.model.native_histogram import COMPONENT, component

_MOST_LEFT_BEHIND = 5000
"""Label sets that a metric has made for buckets: those of other targets, and those that are gone."""


class Metric:
    """A metric and its label sets.

    Args:
        name: Of its family.
        key: The bytes of its labels.
        limits: Of labels.

    Attributes:
        key: As given.
        emptied: Labels that were given without a value.
        number: Its series without a suffix, once it was asked for.
    """

    __slots__ = ("_limits", "_made", "_name", "_pairs", "emptied", "key", "number")

    def __init__(self, name: str, key: bytes, limits: Limits) -> None:
        pairs = read_labels(key, Place(0, len(key)), limits.labels)
        if any(label == COMPONENT for label, _ in pairs):
            raise DecodeError(f"the label {COMPONENT} is for the parts of histograms")
        self.key = key
        self.emptied = frozenset(label for label, value in pairs if not value)
        self.number: Labels | None = None
        self._name = name
        self._pairs = pairs
        self._limits = limits
        self._made: dict[tuple[str, str | float], Labels] | None = None

    def series(self, suffix: str = "", own: str = "", value: float = 0.0) -> Labels:
        """The series of the name with a suffix, and a label of its own that is a number, where it has one."""
        if not suffix and not own:
            if self.number is None:
                self.number = checked_labels([(NAME, self._name), *self._pairs], self._limits)
            return self.number
        made = self._all_made()
        key = suffix, value if own else ""
        labels = made.get(key)
        if labels is None:
            more = [(own, canonical_float(value))] if own else []
            labels = checked_labels([(NAME, self._name + suffix), *self._pairs, *more], self._limits)
            made[key] = labels
        return labels

    def part(self, name: str) -> Labels:
        """The column of a part of the native histogram."""
        made = self._all_made()
        key = COMPONENT, name
        labels = made.get(key)
        if labels is None:
            labels = made[key] = component(self.series(), name)
        return labels

    def exemplar(self, message: bytes, series: Labels) -> Exemplar:
        """One that belongs to a series."""
        found = read_exemplar(message, self._limits.labels)
        return Exemplar(series, unique_labels(found.labels, self._limits), found.value, found.time_ms)

    def forget_beyond(self, used: int) -> None:
        """Buckets that come and go must not be remembered for ever."""
        if self._made is not None and len(self._made) > used + _MOST_LEFT_BEHIND:
            self._made = None

    def _all_made(self) -> dict[tuple[str, str | float], Labels]:
        if self._made is None:
            self._made = {}
        return self._made


class MetricTexts:
    """Metrics by family and the bytes of their labels, remembered: the pages of targets of one kind are alike.

    Args:
        limits: Of labels.
        most: How many are remembered.
    """

    def __init__(self, limits: Limits, most: int = 100_000) -> None:
        self._limits = limits
        self._most = most
        self._count = 0
        self._known: dict[str, dict[bytes, Metric]] = {}

    def metric(self, name: str, key: bytes) -> Metric:
        """The metric of a family."""
        known = self._known.get(name, {})
        found = known.get(key)
        if found is None:
            found = Metric(name, key, self._limits)
            if self._count >= self._most:
                self._known, self._count = {}, 0
            if self._most:
                self._known.setdefault(name, {})[key] = found
                self._count += 1
        return found
