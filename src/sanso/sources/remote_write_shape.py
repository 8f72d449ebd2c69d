"""Remote-write 1.0 requests read by their shape: where each series' labels, value and time lie, found by numpy.

Senders put one sample into a series: labels, then `12 10 09 <value> 10 <time>`, or `12 07 10 <time>` where the value
is 0. Such endings are found in the whole request at once; that every series begins where the one before it ends, and is
as long as its header says, makes the finding certain. The bytes of a series' labels are its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Times

FULL, ZERO = 18, 9
"""Bytes of a sample with a value, and of one whose value is 0 and left out; both with a time of six bytes."""
VALUE, TIME = 15, 6
"""Where the value and the time begin, in bytes before the end of a sample."""
_EIGHT = 8
_CONTINUED, _LAST = np.uint64(0x8080808080), np.uint64(0x808080808080)
"""The top bits of a time's six bytes: set in all but the last."""
_WEIGHTS = np.array([*(1 << 7 * place for place in range(TIME)), 0, 0], dtype=np.int64)

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.intp]
Samples: TypeAlias = tuple[NDArray[np.int64], Floats, Times]
"""A series' number, a value and a time for each sample."""


@dataclass(frozen=True)
class Shape:
    """Where a request's series lie.

    Attributes:
        labels: Where the labels of each begin.
        ends: Where its sample, and with it the series, ends.
        full: Which have a value.
    """

    labels: Places
    ends: Places
    full: NDArray[np.bool_]

    @property
    def samples(self) -> Places:
        """Where the sample of each begins, and its labels end."""
        return self.ends - np.where(self.full, FULL, ZERO)


def samples_at(body: Bytes, ends: Places, full: NDArray[np.bool_], series: NDArray[np.int64]) -> Samples | None:
    """Values and times of samples that end there, and have a value or none; None where times are not of six bytes."""
    eights = np.ndarray(len(body) - _EIGHT + 1, "<u8", body, strides=(1,))  # at every byte, the eight from there on
    raw = eights[ends - _EIGHT]
    raw >>= np.uint64(8 * (_EIGHT - TIME))
    begins = np.concatenate([_FIRST, (raw[1:] != raw[:-1]).nonzero()[0] + 1])  # of runs of one time
    raw = raw[begins]
    if np.count_nonzero((raw & _LAST) != _CONTINUED):
        return None
    times = _time(raw).repeat(np.concatenate([begins[1:], [len(ends)]]) - begins)
    if np.count_nonzero(full) == len(full):
        values = eights[ends - VALUE].view("<f8")
    else:
        values = np.where(full, eights[np.maximum(ends - VALUE, 0)].view("<f8"), 0.0)
    return series, values, times


_FIRST = np.zeros(1, dtype=np.intp)


def _time(raw: NDArray[np.uint64]) -> Times:
    """Six bytes of seven bits as numbers."""
    return np.asarray((raw.view(np.uint8).reshape(-1, _EIGHT) & 127) @ _WEIGHTS)


def shape_in(body: Bytes) -> Shape | None:
    """Where everything lies; None where it is not such a request from end to end."""
    if len(body) < ZERO or body[0] != 0x0A:
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
    tags = np.flatnonzero(body[: len(body) - ZERO + 1] == 0x12)
    following = body[tags + 1]
    full = tags[following == 0x10]
    full = full[full + FULL <= len(body)]
    full = full[(body[full + 2] == 0x09) & (body[full + 11] == 0x10)]
    zero = tags[following == 0x07]
    zero = zero[body[zero + 2] == 0x10]
    return np.concatenate([full, zero]), np.concatenate([full + FULL, zero + ZERO])


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
    return Shape(labels, ends, ends - samples == FULL)
