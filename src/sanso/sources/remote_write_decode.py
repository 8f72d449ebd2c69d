"""Remote-write requests read: samples as arrays, and what else they carry.

Requests are read by their shape where they have the usual one; what is not of that shape (several samples a series,
histograms, exemplars, metadata on its own) goes through protobuf.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sanso.exposition.wire import field
from sanso.model.errors import DecodeError
from sanso.model.exemplars import Exemplar
from sanso.model.frame import Family, FamilyType, Floats, Times
from sanso.model.labels import Labels, labels_of, metric_name, render
from sanso.sources.remote_write_schema import request_class
from sanso.sources.remote_write_stretches import StretchReader
from sanso.sources.remote_write_symbols import SymbolReader

_TYPES: tuple[FamilyType, ...] = (
    "unknown", "counter", "gauge", "histogram", "histogram", "summary", "info", "stateset",
)  # fmt: skip
_PARTS: dict[str, tuple[str, ...]] = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}
"""Endings of series whose family is called without them."""

Numbered = Callable[[Labels], int]
"""Gives a series its number; below 0 where it is refused."""


@dataclass
class Decoded:
    """One request.

    Attributes:
        series: A series number a sample, [N].
        values: [N], bit by bit as sent.
        times: ms, [N].
        families: What the request says of metrics.
        histograms: Native histograms: the series' number, and the message.
        exemplars: The series' number, and the exemplar.
        empty: Series without any sample, which version 2.0 does not allow (but Prometheus sends exemplars so).
        refused: What else was left out, and why.
    """

    series: NDArray[np.int64]
    values: Floats
    times: Times
    families: list[Family] = dataclasses.field(default_factory=list)
    histograms: list[tuple[int, Any]] = dataclasses.field(default_factory=list)
    exemplars: list[tuple[int, Exemplar]] = dataclasses.field(default_factory=list)
    empty: int = 0
    refused: list[str] = dataclasses.field(default_factory=list)


class RemoteWriteDecoder:
    """Reads requests; remembers series and the last requests' shapes. One thread at a time.

    Args:
        numbered: Gives a label set its number.
    """

    def __init__(self, numbered: Numbered) -> None:
        self._numbered = numbered
        self._stretches = StretchReader()
        self._symbols = SymbolReader()

    def forget(self) -> None:
        """Drop what is remembered: series have new numbers from now on."""
        self._stretches.forget()
        self._symbols.forget()

    def read_v1(self, body: bytes) -> Decoded:
        """A request of version 1.0, not compressed any more.

        Raises:
            DecodeError: It is not one.
        """
        found = self._stretches.read(body, self._learnt)
        if found is not None:
            return Decoded(*found)
        request = _parsed("v1", body)
        gathered = _Gathered()
        for series in request.timeseries:
            number = self._numbered(_pairs(series.labels))
            gathered.add(series, number, ((each, _pairs(each.labels)) for each in series.exemplars))
        for meta in request.metadata:
            gathered.families[_text(meta.name)] = _family(
                meta.type, _text(meta.name), _text(meta.help), _text(meta.unit)
            )
        return gathered.decoded()

    def read_v2(self, body: bytes) -> Decoded:
        """A request of version 2.0; what refers to symbols that it lacks is left out, and `refused` names it.

        Raises:
            DecodeError: It is not one.
        """
        found = self._symbols.read(body)
        if found is not None:
            return Decoded(*found)
        request = _parsed("v2", body)
        symbols = [_text(symbol) for symbol in request.symbols]
        if symbols and symbols[0]:
            raise DecodeError("the first symbol must be the empty string")
        gathered = _Gathered()
        learnt: list[tuple[Sequence[int], int]] = []
        for series in request.timeseries:
            try:
                labels = _referred(series.labels, symbols)
                family = _described(series, labels, symbols)
            except DecodeError as error:
                gathered.refused.append(f"series of label references {list(series.labels)[:20]}: {error}")
                continue
            number = self._numbered(labels)
            gathered.add(series, number, gathered.referred_exemplars(series, labels, symbols))
            learnt.append((series.labels, number))
            gathered.empty += not (series.samples or series.histograms or series.exemplars)
            if family is not None:
                gathered.families[family.name] = family
        self._symbols.learn(symbols, learnt)
        return gathered.decoded()

    def _learnt(self, key: bytes) -> int | None:
        """The number of a series by the bytes of its labels; None where they are not labels alone."""
        message = _parsed("v1", field(1, key)).timeseries[0]
        if message.samples or message.histograms or message.exemplars or not message.labels:
            return None
        return self._numbered(_pairs(message.labels))


class _Gathered:
    """What a request holds, collected one series at a time."""

    def __init__(self) -> None:
        self.families: dict[str, Family] = {}
        self.empty = 0
        self.refused: list[str] = []
        self._series: list[int] = []
        self._values: list[float] = []
        self._times: list[int] = []
        self._histograms: list[tuple[int, Any]] = []
        self._exemplars: list[tuple[int, Exemplar]] = []

    def add(self, series: Any, number: int, exemplars: Iterable[tuple[Any, Labels]]) -> None:
        for sample in series.samples:
            self._series.append(number)
            self._values.append(sample.value)
            self._times.append(sample.timestamp)
        for histogram in series.histograms:
            self._histograms.append((number, histogram))
        for each, labels in exemplars:
            shown = labels_of([(_readable(name), _readable(text)) for name, text in labels])
            self._exemplars.append((number, Exemplar(shown, each.value, each.timestamp)))

    def referred_exemplars(self, series: Any, labels: Labels, symbols: Sequence[str]) -> Iterator[tuple[Any, Labels]]:
        """The exemplars of a series with their labels; those with bad references are refused, and the series is not."""
        for each in series.exemplars:
            try:
                yield each, _referred(each.labels, symbols)
            except DecodeError as error:
                self.refused.append(f"exemplars of {_readable(render(labels))[:200]}: {error}")

    def decoded(self) -> Decoded:
        return Decoded(
            np.array(self._series, dtype=np.int64),
            np.array(self._values, dtype=np.float64),
            np.array(self._times, dtype=np.int64),
            [family for name, family in self.families.items() if name],
            self._histograms,
            self._exemplars,
            self.empty,
            self.refused,
        )


def _parsed(version: str, body: bytes) -> Any:
    from google.protobuf.message import DecodeError as ProtobufError

    request = request_class(version)()
    try:
        request.ParseFromString(body)
    except ProtobufError as error:
        raise DecodeError(f"not a remote-write request ({version}): {error}") from error
    return request


def _pairs(labels: Iterable[Any]) -> Labels:
    return tuple((_text(label.name), _text(label.value)) for label in labels)


def _text(sent: str | bytes) -> str:
    """A text; what is not UTF-8 comes as bytes, and its odd ones become lone surrogates."""
    return sent if isinstance(sent, str) else sent.decode("utf-8", "surrogateescape")


def _readable(text: str) -> str:
    """A text in which what was not UTF-8 is a question mark."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _referred(references: Sequence[int], symbols: Sequence[str]) -> Labels:
    if len(references) % 2:
        raise DecodeError("an odd number of label references")
    texts = [_symbol(symbols, reference) for reference in references]
    return tuple(zip(texts[::2], texts[1::2], strict=True))


def _symbol(symbols: Sequence[str], reference: int) -> str:
    if reference >= len(symbols):
        raise DecodeError(f"a reference to symbol {reference}, beyond the {len(symbols)} of the request")
    return symbols[reference]


def _described(series: Any, labels: Labels, symbols: Sequence[str]) -> Family | None:
    """What a series says of its metric, if anything."""
    if not series.HasField("metadata"):
        return None
    meta = series.metadata
    kind = _TYPES[meta.type] if 0 <= meta.type < len(_TYPES) else "unknown"
    name = _family_name(metric_name(labels), kind)
    return _family(meta.type, name, _symbol(symbols, meta.help), _symbol(symbols, meta.unit))


def _family_name(name: str, kind: str) -> str:
    for ending in _PARTS.get(kind, ()):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


def _family(kind: int, name: str, text: str, unit: str) -> Family:
    shown = _TYPES[kind] if 0 <= kind < len(_TYPES) else "unknown"
    return Family(_readable(name), shown, _readable(text), _readable(unit))
