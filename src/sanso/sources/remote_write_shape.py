"""Remote-write 1.0 requests read by their shape: where each series' labels, value and time lie, found by numpy.

Senders put one sample into a series: labels, then `12 10 09 <value> 10 <time>`, or `12 07 10 <time>` where the value
is 0. Such endings are found in the whole request at once; that every series begins where the one before it ends, and is
as long as its header says, makes the finding certain. The bytes of a series' labels are its key.

A sender repeats itself: the same series in the same order, with other values and times. So the request before of the
same length and first series is a template: where all but values and times is the same, byte by byte, nothing is
looked up at all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Times

_FULL, _ZERO = 18, 9
"""Bytes of a sample with a value, and of one whose value is 0 and left out; both with a time of six bytes."""
_MOST_TEMPLATES = 16
_CONTINUED, _LAST = np.uint64(0x8080808080), np.uint64(0x808080808080)
"""The top bits of a time's six bytes: set in all but the last."""
_UNKNOWN = -2

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.intp]
Samples: TypeAlias = tuple[NDArray[np.int64], Floats, Times]
"""A series' number, a value and a time for each sample."""
Learnt = Callable[[bytes], int | None]
"""The number of a series by the bytes of its labels: below 0 where it is refused, None where these are not labels."""


@dataclass(frozen=True)
class Shape:
    """Where a request's series lie.

    Attributes:
        labels: Where the labels of each begin.
        samples: Where its sample begins.
        full: Which have a value.
        values: Where the values of those begin.
        times: Where each time begins.
    """

    labels: Places
    samples: Places
    full: NDArray[np.bool_]
    values: Places
    times: Places


@dataclass(frozen=True)
class _Template:
    body: Bytes
    fixed: NDArray[np.bool_]
    shape: Shape
    series: NDArray[np.int64]

    @classmethod
    def of(cls, body: Bytes, shape: Shape, series: NDArray[np.int64]) -> _Template:
        fixed = np.ones(len(body), dtype=bool)
        fixed[shape.values[:, None] + np.arange(8)] = False
        fixed[shape.times[:, None] + np.arange(6)] = False
        return cls(body, fixed, shape, series)

    def read(self, body: Bytes) -> Samples | None:
        if (self.fixed & (self.body != body)).any():
            return None
        return samples_at(body, self.shape, self.series)


class ShapeReader:
    """Reads requests of the usual shape; remembers series, and the last requests as templates."""

    def __init__(self) -> None:
        self._keys: dict[bytes, int] = {}
        self._templates: OrderedDict[tuple[int, bytes], _Template | None] = OrderedDict()
        """None where such a beginning was seen once: not every sender repeats itself."""

    def forget(self) -> None:
        """Series have new numbers from now on."""
        self._keys.clear()
        self._templates.clear()

    def read(self, body: bytes, learnt: Learnt) -> Samples | None:
        """The samples; None where the request is of another shape."""
        whole = np.frombuffer(body, dtype=np.uint8)
        beginning = len(body), _first_labels(body)
        template = self._templates.get(beginning)
        if template is not None:
            found = template.read(whole)
            if found is not None:
                return found
        shape = _shape(whole)
        if shape is None:
            return None
        numbers = self._numbers(body, shape, learnt)
        if numbers is None:
            return None
        series = np.array(numbers, dtype=np.int64)
        if (series >= 0).all():
            seen = beginning in self._templates
            self._templates[beginning] = _Template.of(whole, shape, series) if seen else None
            if len(self._templates) > _MOST_TEMPLATES:
                self._templates.popitem(last=False)
        return samples_at(whole, shape, series)

    def _numbers(self, body: bytes, shape: Shape, learnt: Learnt) -> list[int] | None:
        keys = self._keys
        places = list(zip(shape.labels.tolist(), shape.samples.tolist(), strict=True))
        numbers = [keys.get(body[begin:end], _UNKNOWN) for begin, end in places]
        for row, number in enumerate(numbers):
            if number == _UNKNOWN:
                key = body[slice(*places[row])]
                found = learnt(key)
                if found is None:
                    return None
                numbers[row] = found
                if found >= 0:
                    keys[key] = found
        return numbers


def _first_labels(body: bytes) -> bytes:
    """The first series up to about its value: what tells senders' requests of one length apart."""
    length = int.from_bytes(body[1:3], "little")
    length = length & 127 if length & 128 == 0 else length & 127 | length >> 1 & 0x3F80
    return body[: max(length - _FULL, 0)]


def samples_at(body: Bytes, shape: Shape, series: NDArray[np.int64]) -> Samples | None:
    """Values and times of a shape; None where times are not of six bytes."""
    eights = np.ndarray(len(body) - 7, "<u8", body, strides=(1,))  # at every byte, the eight from there on
    raw = eights[shape.times - 2] >> np.uint64(16)
    if (raw == raw[0]).all():
        if raw[0] & _LAST != _CONTINUED:
            return None
        one = int(raw[0])
        times = np.full(len(raw), sum((one >> 8 * place & 127) << 7 * place for place in range(6)), dtype=np.int64)
    else:
        if ((raw & _LAST) != _CONTINUED).any():
            return None
        times = _time(raw)
    found = eights[shape.values].view("<f8")
    if len(found) < len(times):
        values = np.zeros(len(times))
        values[shape.full] = found
        found = values
    return series, found, times


def _time(raw: NDArray[np.uint64]) -> Times:
    """Six bytes of seven bits as numbers."""
    found = raw & np.uint64(127)
    for place in range(1, 6):
        found |= (raw >> np.uint64(8 * place) & np.uint64(127)) << np.uint64(7 * place)
    return found.astype(np.int64)


def _shape(body: Bytes) -> Shape | None:
    """Where everything lies; None where it is not such a request from end to end."""
    if len(body) < _ZERO or body[0] != 0x0A:
        return None
    samples, ends = endings(body)
    last = ends == len(body)
    fits = last | (body[np.minimum(ends, len(body) - 1)] == 0x0A)
    order = np.argsort(samples[fits], kind="stable")
    samples, ends = samples[fits][order], ends[fits][order]
    if not len(samples) or ends[-1] != len(body):
        return None
    return _certain(body, samples, ends)


def endings(body: Bytes) -> tuple[Places, Places]:
    """Where what looks like a sample begins and ends; in no order."""
    tags = np.flatnonzero(body[: len(body) - _ZERO + 1] == 0x12)
    following = body[tags + 1]
    full = tags[following == 0x10]
    full = full[full + _FULL <= len(body)]
    full = full[(body[full + 2] == 0x09) & (body[full + 11] == 0x10)]
    zero = tags[following == 0x07]
    zero = zero[body[zero + 2] == 0x10]
    return np.concatenate([full, zero]), np.concatenate([full + _FULL, zero + _ZERO])


def shape_of(labels: Places, samples: Places, ends: Places) -> Shape:
    """The shape of series whose labels and samples begin there, and whose samples end there."""
    full = ends - samples == _FULL
    return Shape(labels, samples, full, samples[full] + 3, ends - 6)


def _certain(body: Bytes, samples: Places, ends: Places) -> Shape | None:
    """Each series begins where the one before it ends, and is as long as its header says; else None."""
    begins = np.concatenate([[0], ends[:-1]])
    if (samples < begins + 3).any():
        return None
    low, high = body[begins + 1].astype(np.intp), body[begins + 2].astype(np.intp)
    two = low > 127
    length = np.where(two, low & 127 | high << 7, low)
    labels = begins + 2 + two
    if (two & (high > 127)).any() or (labels + length != ends).any() or (body[begins] != 0x0A).any():
        return None
    return shape_of(labels, samples, ends)
