"""Remote write in: requests decoded and written as rows; series that come together share a frame."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import cramjam
import numpy as np
from numpy.typing import NDArray

from sanso.model.clock import Clock
from sanso.model.errors import DecodeError
from sanso.model.frame import ABSENT_BITS, Columns, Family, Floats, Row, Times
from sanso.model.labels import NAME, Labels, render
from sanso.model.series import RowWriter
from sanso.sources.remote_write_decode import Decoded, RemoteWriteDecoder

V1, V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
_MOST_BYTES = 128 << 20
_AHEAD_MS = 10 * 60_000
_MOST_SERIES = 2_000_000
_MOST_LABELS, _LONGEST_NAME, _LONGEST_VALUE = 128, 1024, 16_384
_MOST_SHAPES = 256


@dataclass(frozen=True)
class Written:
    """What came of a request.

    Attributes:
        samples: Taken (sent again and already held counts as taken).
        problem: What was refused and why; empty where all was taken.
        durable: Whether what was taken is on disk.
    """

    samples: int
    problem: str = ""
    durable: bool = True


@dataclass(frozen=True, eq=False)
class _Part:
    """Cells of a request that are one row: `cells` None for all of them, in order."""

    frame: str
    columns: Columns
    cells: NDArray[np.intp] | None


class RemoteWriteReceiver:
    """Takes remote-write requests; several threads may call it.

    Args:
        writer: Where rows go; each request is committed before it is answered.
        clock: For what is too far ahead, or older than the retention.
        retention_ms: How old a sample may be.
        durable: Whether the last commit reached the disk.
    """

    def __init__(self, writer: RowWriter, clock: Clock, retention_ms: int, durable: Callable[[], bool]) -> None:
        self._writer = writer
        self._clock = clock
        self._retention_ms = retention_ms
        self._durable = durable
        self._decoder = RemoteWriteDecoder(self._numbered)
        self._numbers: dict[Labels, int] = {}
        self._labels: list[Labels] = []
        self._frames: list[str] = []
        self._shapes: dict[bytes, list[_Part]] = {}
        self._families: dict[str, Family] = {}
        self._bad: Counter[str] = Counter()
        self._lock = threading.Lock()

    def receive(self, body: bytes, *, message: str = V1, encoding: str = "snappy") -> Written:
        """Decode a request and write it.

        Args:
            body: As it came.
            message: The protobuf message it holds, V1 or V2.
            encoding: `snappy` (block format).

        Raises:
            DecodeError: It is not such a request; nothing of it was taken.
        """
        plain = _unpacked(body, encoding)
        with self._lock:
            if len(self._labels) > _MOST_SERIES:
                self._forget()
            self._bad = Counter()
            decoded = self._decoder.read_v2(plain) if message == V2 else self._decoder.read_v1(plain)
            if decoded.histograms:
                self._bad["native histograms are not taken yet"] += decoded.histograms
            taken = self._write(decoded)
            self._describe(decoded.families)
            self._writer.commit()
            problem = "; ".join(f"{count} x {reason}" for reason, count in self._bad.items())
        return Written(taken, problem, self._durable())

    def _write(self, decoded: Decoded) -> int:
        series, values, times = self._accepted(decoded)
        if not len(series):
            return 0
        absent = values.view(np.uint64) == ABSENT_BITS
        if absent.any():  # a NaN that means something to us alone
            values = np.where(absent, np.nan, values)
        refused = 0
        if (times == times[0]).all():
            refused = self._write_row(int(times[0]), series, values)
        else:
            order = np.argsort(times, kind="stable")
            edges = np.flatnonzero(np.diff(times[order])) + 1
            for rows in np.split(order, edges):
                refused += self._write_row(int(times[rows[0]]), series[rows], values[rows])
        if refused:
            self._bad["samples out of order, too old, or other than what is held at their time"] += refused
        return len(series) - refused

    def _accepted(self, decoded: Decoded) -> tuple[NDArray[np.int64], Floats, Times]:
        """Without what is badly named, too old, or too far ahead."""
        now = self._clock.now_ms()
        early, late = decoded.times < now - self._retention_ms, decoded.times > now + _AHEAD_MS
        named = decoded.series >= 0
        if early.any():
            self._bad["samples older than the retention"] += int((early & named).sum())
        if late.any():
            self._bad["samples more than 10 minutes ahead"] += int((late & named).sum())
        good = named & ~early & ~late
        if good.all():
            return decoded.series, decoded.values, decoded.times
        return decoded.series[good], decoded.values[good], decoded.times[good]

    def _write_row(self, time_ms: int, series: NDArray[np.int64], values: Floats) -> int:
        key = series.tobytes()
        parts = self._shapes.get(key)
        if parts is None:
            parts = self._parts(series)
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[key] = parts
        refused = 0
        for part in parts:
            cells = values if part.cells is None else values[part.cells]
            refused += self._writer.append(part.frame, time_ms, Row(part.columns, cells), complete=False)
        return refused

    def _parts(self, series: NDArray[np.int64]) -> list[_Part]:
        """One part a frame; series that have none yet join the one that most of the others are in."""
        numbers = series.tolist()
        known = Counter(self._frames[number] for number in numbers if self._frames[number])
        joined = known.most_common(1)[0][0] if known else _frame_name(self._labels[numbers[0]])
        by_frame: dict[str, dict[int, int]] = {}
        for cell, number in enumerate(numbers):
            frame = self._frames[number] = self._frames[number] or joined
            if by_frame.setdefault(frame, {}).setdefault(number, cell) != cell:
                self._bad["samples of one series and time that stand twice"] += 1
        parts = []
        for frame, cells in by_frame.items():
            columns = Columns(tuple(self._labels[number] for number in cells))
            everything = len(cells) == len(numbers)
            parts.append(_Part(frame, columns, None if everything else np.array(list(cells.values()), dtype=np.intp)))
        return parts

    def _numbered(self, labels: Labels) -> int:
        number = self._numbers.get(labels)
        if number is not None:
            return number
        problem = _problem(labels)
        if problem:
            self._bad[f"series {render(labels)[:200]}: {problem}"] += 1
            return -1
        number = self._numbers[labels] = len(self._labels)
        self._labels.append(tuple(sorted(pair for pair in labels if pair[1])))
        self._frames.append("")
        return number

    def _forget(self) -> None:
        """Begin anew, where senders' series come and go without end."""
        self._decoder.forget()
        self._numbers.clear()
        self._labels.clear()
        self._frames.clear()
        self._shapes.clear()

    def _describe(self, families: list[Family]) -> None:
        fresh = [family for family in families if self._families.get(family.name) != family]
        if fresh:
            self._families.update({family.name: family for family in fresh})
            self._writer.describe(fresh)


def _frame_name(labels: Labels) -> str:
    """A frame's name by its first series: the same after a restart, where the sender goes on as before."""
    return f"write:{hashlib.blake2b(repr(labels).encode(), digest_size=8).hexdigest()}"


def _problem(labels: Labels) -> str:
    """What is wrong with a label set; empty where nothing is."""
    names = [name for name, _ in labels]
    if NAME not in names:
        return "no metric name"
    if len(set(names)) < len(names):
        return "a label stands twice"
    if not all(names):
        return "a label without a name"
    if len(names) > _MOST_LABELS:
        return f"{len(names)} labels, more than {_MOST_LABELS}"
    if any(len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE for name, value in labels):
        return "a label is too long"
    return ""


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding != "snappy":
        raise DecodeError(f"content encoding {encoding!r} is not known: send snappy")
    if not body:
        return b""
    try:
        size = cramjam.snappy.decompress_raw_len(body)
        if size > _MOST_BYTES:
            raise DecodeError(f"the request unpacks to {size} bytes, more than {_MOST_BYTES >> 20} MiB")
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise DecodeError(f"the body is not snappy (block format): {error}") from error
