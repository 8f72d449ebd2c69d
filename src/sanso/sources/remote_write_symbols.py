"""Remote-write 2.0 requests of the usual shape read by numpy: symbols, then series of one sample each.

Symbols have other numbers in every request. Here each gets one of its own for good, so that a series' label references
become a key that stays. Metadata is read past: a series that is new is read by protobuf, with all that it carries.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sanso.sources.remote_write_shape import FULL, Bytes, Places, Samples, Shape, endings, samples_at

_MOST_SYMBOLS = 1_000_000
_MOST_READ_PAST = 256
"""Requests in a row whose metadata is not looked at."""
_UNKNOWN = -1


class SymbolReader:
    """Reads such requests; remembers symbols and series."""

    def __init__(self) -> None:
        self._symbols: dict[bytes, int] = {}
        self._keys: dict[bytes, int] = {}
        self._read_past = 0

    def forget(self) -> None:
        """Series have new numbers from now on."""
        self._symbols.clear()
        self._keys.clear()

    def learn(self, symbols: Sequence[str], series: Sequence[tuple[Sequence[int], int]]) -> None:
        """Remember what protobuf read: a request's symbols, and label references with the series' number."""
        if len(self._symbols) > _MOST_SYMBOLS:
            self.forget()
        ids = [
            self._symbols.setdefault(symbol.encode("utf-8", "surrogateescape"), len(self._symbols))
            for symbol in symbols
        ]
        for references, number in series:
            if number >= 0:
                self._keys[np.array([ids[each] for each in references], dtype="<i4").tobytes()] = number

    def read(self, body: bytes) -> Samples | None:
        """The samples; None where the request is of another shape, or anything in it is new."""
        self._read_past += 1
        if self._read_past > _MOST_READ_PAST:
            self._read_past = 0
            return None
        found = self._ids(body)
        if found is None:
            return None
        ids, begin = found
        series = np.frombuffer(body, dtype=np.uint8)[begin:]
        located = _located(series)
        if located is None:
            return None
        numbers = self._numbers(series, located.labels, located.samples, ids)
        return None if numbers is None else samples_at(series, located.ends, located.full, numbers)

    def _ids(self, body: bytes) -> tuple[NDArray[np.int32], int] | None:
        """Our numbers of a request's symbols, and where they end; None where one is new."""
        ids = []
        get = self._symbols.get
        at, total = 0, len(body)
        if not body.startswith(b"\x22\x00"):  # the first must be empty
            return None
        while at + 2 < total and body[at] == 0x22:
            length = body[at + 1]
            at += 2
            if length > 127:
                length = length & 127 | body[at] << 7
                at += 1
                if length > 16_383:
                    return None
            found = get(body[at : at + length])
            if found is None:
                return None
            ids.append(found)
            at += length
        return (np.array(ids, dtype="<i4"), at) if ids and at < total else None

    def _numbers(self, body: Bytes, begins: Places, ends: Places, ids: NDArray[np.int32]) -> NDArray[np.int64] | None:
        """The series' numbers by their references, which lie between `begins` and `ends`."""
        lengths = ends - begins
        edges = np.cumsum(lengths)
        packed = body[np.repeat(begins - (edges - lengths), lengths) + np.arange(edges[-1])]
        more = packed > 127
        first = np.concatenate([[True], ~more[:-1]])  # of a reference
        if more[edges - 1].any() or (more & ~first).any():  # one of three bytes, or cut off
            return None
        places = np.flatnonzero(first)
        references = packed[places].astype(np.intp)
        second = np.flatnonzero(more[places])
        references[second] = references[second] & 127 | packed[places[second] + 1].astype(np.intp) << 7
        if references.max() >= len(ids):
            return None
        keys = ids[references].tobytes()
        bounds = [0, *(4 * np.cumsum(first)[edges - 1]).tolist()]
        get = self._keys.get
        numbers = np.array([get(keys[a:b], _UNKNOWN) for a, b in itertools.pairwise(bounds)], dtype=np.int64)
        return None if (numbers < 0).any() else numbers


def _located(body: Bytes) -> Shape | None:
    """Where series' references and samples lie; None where that is not certain."""
    total = len(body)
    if total < 16:
        return None
    samples, ends = endings(body)
    fits = (ends == total) | (body[np.minimum(ends, total - 1)] == 0x2A)
    order = np.argsort(samples[fits], kind="stable")
    samples, ends = samples[fits][order], ends[fits][order]
    if not len(samples):
        return None
    closes = _after_metadata(body, ends)
    begins = np.concatenate([[0], closes[:-1]])
    if closes[-1] != total or (samples < begins + 4).any() or (body[begins] != 0x2A).any():
        return None
    length, inside = _length(body, begins + 1)
    references, labels = _length(body, inside + 1)
    certain = (inside + length == closes) & (body[inside] == 0x0A) & (labels + references == samples) & (references > 0)
    return Shape(labels, ends, ends - samples == FULL) if certain.all() else None


def _after_metadata(body: Bytes, ends: Places) -> Places:
    """Where each series ends: after its sample, or after the metadata that follows it.

    Metadata and the next series begin with the same tag; a series goes on with that of its references, metadata never.
    """
    last = len(body) - 1
    length, inside = _length(body, np.minimum(ends + 1, last))
    metadata = (ends <= last) & (body[np.minimum(inside, last)] != 0x0A)
    return np.where(metadata, inside + length, ends)


def _length(body: Bytes, places: Places) -> tuple[Places, Places]:
    """Lengths of one or two bytes, and where what they measure begins."""
    last = len(body) - 1
    places = np.minimum(places, last)
    low, high = body[places].astype(np.intp), body[np.minimum(places + 1, last)].astype(np.intp)
    two = low > 127
    return np.where(two, low & 127 | high << 7, low), places + 1 + two
