"""All series of a process by name and labels, with a limit on how many."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sanso.sdk.instruments import Counter, Gauge, Histogram, Instrument, Kind, Labels, discarding
from sanso.sdk.otlp_encoding import Metric, Point

OVERFLOW: Labels = (("otel_metric_overflow", "true"),)
"""The series that takes what the limit keeps out, as OpenTelemetry names it."""
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_NAMES_A_LIMIT = 10
_DROPS = ("buffer_full", "negative", "not_a_number")

_Made = TypeVar("_Made", Counter, Gauge, Histogram)


@dataclass
class _Named:
    """Every series of one metric name."""

    kind: Kind
    series: dict[Labels, Instrument] = field(default_factory=dict)


class Registry:
    """Makes each instrument once and gives the same one ever after.

    Args:
        now_ns: Nanoseconds since 1970.
        common: Labels that every series carries.
        max_series: Of all names together; one name may have a tenth of it.

    Attributes:
        limit_a_name: How many series one name may have.
        epoch: Grows with every fork: what was begun before it is not this process's to count.
    """

    def __init__(self, now_ns: Callable[[], int], common: Mapping[str, str] | None = None, max_series: int = 2000):
        self._now_ns = now_ns
        self._common = labels_of(common or {})
        self._max_series = max_series
        self.limit_a_name = max(1, max_series // _NAMES_A_LIMIT)
        self._names: dict[str, _Named] = {}
        self._size = 0
        self._lock = threading.Lock()
        self._dropped = dict.fromkeys(_DROPS, 0)
        self._overflowed = 0
        self._start_ns = now_ns()
        self.epoch = 0

    def counter(self, name: str, labels: Mapping[str, object]) -> Counter:
        """The counter of that name and labels."""
        return self._instrument(Counter, name, labels)

    def gauge(self, name: str, labels: Mapping[str, object]) -> Gauge:
        """The gauge of that name and labels."""
        return self._instrument(Gauge, name, labels)

    def histogram(self, name: str, labels: Mapping[str, object]) -> Histogram:
        """The histogram of that name and labels."""
        return self._instrument(Histogram, name, labels)

    def fold(self) -> int:
        """Take in what was recorded since the last time; returns the longest buffer's length. One thread at a time."""
        return max((instrument.fold(self._drop) for instrument in self._instruments()), default=0)

    def metrics(self) -> list[Metric]:
        """Every series that has a value, and the counts of what was lost."""
        metrics = []
        for name, named in list(self._names.items()):
            series = list(named.series.values())
            points = [Point(self._full(i.labels), i.start_ns, i.value) for i in series if i.value is not None]
            if points:
                metrics.append(Metric(name, named.kind, points))
        return [*metrics, *self._own_metrics()]

    def delivered(self) -> None:
        """Totals are cumulative: nothing to forget."""

    def refuse(self) -> None:
        """Count something that the limit keeps out."""
        with self._lock:
            self._overflowed += 1

    def reset(self) -> None:
        """Begin again in a forked child: what the parent recorded is the parent's to tell."""
        self.epoch += 1
        self._lock = threading.Lock()
        self._dropped = dict.fromkeys(_DROPS, 0)
        self._overflowed = 0
        self._start_ns = self._now_ns()
        for instrument in self._instruments():
            instrument.reset(self._start_ns)

    def _instrument(self, make: type[_Made], name: str, labels: Mapping[str, object]) -> _Made:
        key = labels_of(labels)
        named = self._names.get(name)
        found = named.series.get(key) if named else None
        if found is None:
            found = self._add(make, name, key)
        if not isinstance(found, make):
            raise _other_kind(name, found.kind, make.kind)
        return found

    def _add(self, make: type[_Made], name: str, key: Labels) -> Instrument:
        _check_names(name, key)
        with self._lock:
            named = self._names.get(name)
            if named is None:
                if len(self._names) >= self._max_series:
                    self._overflowed += 1
                    return discarding(make(OVERFLOW, self._now_ns()))  # type: ignore[no-any-return]
                named = self._names[name] = _Named(make.kind)
            if named.kind != make.kind:
                raise _other_kind(name, named.kind, make.kind)
            if key not in named.series and (len(named.series) >= self.limit_a_name or self._size >= self._max_series):
                self._overflowed += 1
                key = OVERFLOW
            if key not in named.series:
                named.series[key] = make(key, self._now_ns())
                self._size += 1
            return named.series[key]

    def _instruments(self) -> list[Instrument]:
        return [instrument for named in list(self._names.values()) for instrument in list(named.series.values())]

    def _drop(self, reason: str, count: int) -> None:
        self._dropped[reason] += count

    def _full(self, labels: Labels) -> Labels:
        return tuple(sorted({**dict(self._common), **dict(labels)}.items())) if self._common else labels

    def _own_metrics(self) -> list[Metric]:
        dropped = [
            Point(self._full((("reason", reason),)), self._start_ns, float(count))
            for reason, count in self._dropped.items()
        ]
        overflowed = Point(self._common, self._start_ns, float(self._overflowed))
        return [
            Metric("sanso_sdk_dropped_total", "counter", dropped),
            Metric("sanso_sdk_overflow_total", "counter", [overflowed]),
        ]


def labels_of(labels: Mapping[str, object]) -> Labels:
    """Sorted labels; an empty value is the same as no label."""
    pairs = ((name, value if isinstance(value, str) else str(value)) for name, value in labels.items())
    return tuple(sorted(pair for pair in pairs if pair[1]))


def _other_kind(name: str, has: Kind, wanted: Kind) -> ValueError:
    return ValueError(f"{name} is a {has} already: give the {wanted} another name")


def _check_names(name: str, labels: Labels) -> None:
    if not _METRIC_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no metric name: use letters, digits and underscores, as in orders_total")
    for label, _ in labels:
        if not _LABEL_NAME.fullmatch(label):
            raise ValueError(f"{label!r} is no label name: use letters, digits and underscores, as in http_route")
