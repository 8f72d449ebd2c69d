"""Remote-write requests read: series by number, values and times as arrays.

A sender repeats itself: the same series in the same order, with other values and times. So the request before of the
same length is a template: where everything but values and times is the same, byte by byte, both are gathered by
numpy at once. What fits no template is read series by series, the bytes of a series' labels being its key; what is
not of that shape (several samples a series, exemplars, metadata) goes through protobuf.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError as ProtobufError
from numpy.typing import NDArray

from sanso.model.errors import DecodeError
from sanso.model.frame import Family, FamilyType, Floats, Times
from sanso.model.labels import Labels
from sanso.sources.remote_write_schema import request_class

_TYPES: tuple[FamilyType, ...] = (
    "unknown", "counter", "gauge", "histogram", "histogram", "summary", "info", "stateset",
)  # fmt: skip
_SAMPLE_BYTES = 18
"""Of a sample with a value and a time of six bytes: tag, length, 1 + 8, 1 + 6."""
_MOST_TEMPLATES = 32
_WEIGHTS = 1 << np.arange(0, 42, 7, dtype=np.int64)

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
        histograms: Native histograms in it.
        exemplars: Exemplars in it.
    """

    series: NDArray[np.int64]
    values: Floats
    times: Times
    families: list[Family] = field(default_factory=list)
    histograms: int = 0
    exemplars: int = 0


@dataclass(frozen=True)
class _Template:
    body: NDArray[np.uint8]
    fixed: NDArray[np.bool_]
    samples: NDArray[np.intp]
    series: NDArray[np.int64]

    def read(self, body: NDArray[np.uint8]) -> Decoded | None:
        if (self.fixed & (self.body != body)).any():
            return None
        times = body[self.samples[:, None] + np.arange(12, 18)]
        if (times[:, :-1] < 128).any() or (times[:, -1] > 127).any():
            return None
        values = body[self.samples[:, None] + np.arange(3, 11)]
        return Decoded(self.series, values.view("<f8")[:, 0], (times.astype(np.int64) & 127) @ _WEIGHTS)


class RemoteWriteDecoder:
    """Reads requests; remembers series and the last requests' shapes. One thread at a time.

    Args:
        numbered: Gives a label set its number.
    """

    def __init__(self, numbered: Numbered) -> None:
        self._numbered = numbered
        self._keys: dict[bytes, int] = {}
        self._templates: OrderedDict[int, _Template] = OrderedDict()

    def forget(self) -> None:
        """Drop what is remembered: series have new numbers from now on."""
        self._keys.clear()
        self._templates.clear()

    def read_v1(self, body: bytes) -> Decoded:
        """A request of version 1.0, not compressed any more.

        Raises:
            DecodeError: It is not one.
        """
        template = self._templates.get(len(body))
        if template is not None:
            found = template.read(np.frombuffer(body, dtype=np.uint8))
            if found is not None:
                return found
        return self._by_series(body) or self._by_message(_parsed("v1", body))

    def read_v2(self, body: bytes) -> Decoded:
        """A request of version 2.0.

        Raises:
            DecodeError: It is not one, or refers to symbols that it lacks.
        """
        request = _parsed("v2", body)
        symbols = list(request.symbols)
        if symbols and symbols[0]:
            raise DecodeError("the first symbol must be the empty string")
        gathered = _Gathered()
        for series in request.timeseries:
            references = series.labels
            try:
                names = [symbols[n] for n in references]
                meta = series.metadata
                about = (meta.type, symbols[meta.help], symbols[meta.unit])
            except IndexError as error:
                raise DecodeError(f"a reference to a symbol beyond the {len(symbols)} of the request") from error
            if len(names) % 2:
                raise DecodeError("an odd number of label references")
            labels = tuple(zip(names[::2], names[1::2], strict=True))
            gathered.add(series, self._numbered(labels))
            if series.HasField("metadata"):
                name = next((value for key, value in labels if key == "__name__"), "")
                gathered.families[name] = _family(about[0], name, about[1], about[2])
        return gathered.decoded()

    def _by_message(self, request: Any) -> Decoded:
        gathered = _Gathered()
        for series in request.timeseries:
            labels = tuple((label.name, label.value) for label in series.labels)
            gathered.add(series, self._numbered(labels))
        for meta in request.metadata:
            gathered.families[meta.name] = _family(meta.type, meta.name, meta.help, meta.unit)
        return gathered.decoded()

    def _by_series(self, body: bytes) -> Decoded | None:
        """A request of one sample a series, each with value and time; None where it is of another shape."""
        keys = self._keys
        position, total = 0, len(body)
        series: list[int] = []
        samples: list[int] = []
        try:
            while position < total:
                if body[position] != 0x0A:
                    return None
                length = body[position + 1]
                position += 2
                if length > 127:
                    length = length & 127 | body[position] << 7
                    position += 1
                    if length > 16383:
                        return None
                end = position + length
                sample = end - _SAMPLE_BYTES
                if sample < position or body[sample : sample + 3] != b"\x12\x10\x09" or body[sample + 11] != 0x10:
                    return None
                key = body[position:sample]
                number = keys.get(key)
                if number is None:
                    number = self._learnt(key)
                    if number is None:
                        return None
                series.append(number)
                samples.append(sample)
                position = end
        except IndexError:
            return None
        if position != total or not series:
            return None
        return self._templated(body, np.array(samples, dtype=np.intp), np.array(series, dtype=np.int64))

    def _learnt(self, key: bytes) -> int | None:
        """The number of a series by the bytes of its labels; None where they are not labels alone."""
        message = _parsed("v1", b"\x0a" + _varint(len(key)) + key).timeseries[0]
        if message.samples or message.histograms or message.exemplars or not message.labels:
            return None
        number = self._numbered(tuple((label.name, label.value) for label in message.labels))
        if number >= 0:
            self._keys[key] = number
        return number

    def _templated(self, body: bytes, samples: NDArray[np.intp], series: NDArray[np.int64]) -> Decoded | None:
        whole = np.frombuffer(body, dtype=np.uint8)
        fixed = np.ones(len(body), dtype=bool)
        for place in (*range(3, 11), *range(12, 18)):
            fixed[samples + place] = False
        template = _Template(whole, fixed, samples, series)
        found = template.read(whole)
        if found is not None and (series >= 0).all():
            self._templates[len(body)] = template
            if len(self._templates) > _MOST_TEMPLATES:
                self._templates.popitem(last=False)
        return found


class _Gathered:
    """Samples collected one series at a time."""

    def __init__(self) -> None:
        self.families: dict[str, Family] = {}
        self._series: list[int] = []
        self._values: list[float] = []
        self._times: list[int] = []
        self._histograms = 0
        self._exemplars = 0

    def add(self, series: Any, number: int) -> None:
        for sample in series.samples:
            self._series.append(number)
            self._values.append(sample.value)
            self._times.append(sample.timestamp)
        self._histograms += len(series.histograms)
        self._exemplars += len(series.exemplars)

    def decoded(self) -> Decoded:
        return Decoded(
            np.array(self._series, dtype=np.int64),
            np.array(self._values, dtype=np.float64),
            np.array(self._times, dtype=np.int64),
            [family for name, family in self.families.items() if name],
            self._histograms,
            self._exemplars,
        )


def _parsed(version: str, body: bytes) -> Any:
    request = request_class(version)()
    try:
        request.ParseFromString(body)
    except ProtobufError as error:
        raise DecodeError(f"not a remote-write request ({version}): {error}") from error
    return request


def _family(kind: int, name: str, text: str, unit: str) -> Family:
    return Family(name, _TYPES[kind] if 0 <= kind < len(_TYPES) else "unknown", text, unit)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
