"""Remote write in: requests decoded and written as rows; series that come together share a frame."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sanso.model.clock import Clock
from sanso.model.errors import DecodeError
from sanso.model.exemplars import ExemplarWriter
from sanso.model.frame import Family, Times
from sanso.model.labels import render
from sanso.model.series import RowWriter
from sanso.sources.remote_write_decode import Decoded, RemoteWriteDecoder
from sanso.sources.remote_write_histograms import HistogramRows
from sanso.sources.remote_write_rows import Rows
from sanso.sources.remote_write_series import Numbers, SeriesBook
from sanso.sources.snappy import unpacked

V1, V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
MOST_BYTES = 64 << 20
_AHEAD_MS = 10 * 60_000
_MOST_SERIES = 1_000_000
_FORGET_S, _SWEEP_S = 3_600.0, 600.0


@dataclass(frozen=True)
class Written:
    """What came of a request.

    Attributes:
        samples: Taken (sent again and already held counts as taken).
        histograms: Likewise.
        exemplars: Likewise.
        problem: What was refused and why; empty where all was taken.
        durable: Whether what was taken is on disk.
    """

    samples: int
    histograms: int = 0
    exemplars: int = 0
    problem: str = ""
    durable: bool = True


class RemoteWriteReceiver:
    """Takes remote-write requests; several threads may call it.

    Args:
        writer: Where rows go; requests are committed before they are answered.
        exemplars: Where exemplars go.
        clock: For what is too far ahead, or older than the retention.
        retention_ms: How old a sample may be.
        durable: Whether the last commit reached the disk.
    """

    def __init__(
        self,
        writer: RowWriter,
        exemplars: ExemplarWriter,
        clock: Clock,
        retention_ms: int,
        durable: Callable[[], bool],
    ) -> None:
        self._writer = writer
        self._exemplars = exemplars
        self._clock = clock
        self._retention_ms = retention_ms
        self._durable = durable
        self._book = SeriesBook()
        self._decoder = RemoteWriteDecoder(self._book.numbered)
        self._rows = Rows(self._book, writer)
        self._histograms = HistogramRows(self._book, self._rows)
        self._families: dict[str, Family] = {}
        self._swept_s = clock.monotonic()
        self._lock = threading.Lock()

    def receive(self, body: bytes, *, message: str = V1) -> Written:
        """Decode a request (block-format snappy, the protobuf message V1 or V2) and write it.

        Raises:
            DecodeError: It is not such a request; nothing of it was taken.
        """
        (found,) = self.receive_all([(body, message)])
        if isinstance(found, DecodeError):
            raise found
        return found

    def receive_all(self, requests: Sequence[tuple[bytes, str]]) -> list[Written | DecodeError]:
        """Take several requests, bodies with their messages, in one transaction: one answer each."""
        with self._lock:
            found: list[Written | DecodeError] = []
            for body, message in requests:
                try:
                    found.append(self._take(unpacked(body, MOST_BYTES), message))
                except DecodeError as error:
                    found.append(error)
            self._writer.commit()
            durable = self._durable()
        return (
            found
            if durable
            else [one if isinstance(one, DecodeError) else replace(one, durable=False) for one in found]
        )

    def _take(self, body: bytes, message: str) -> Written:
        book = self._book
        book.now_s = self._clock.monotonic()
        self._forget(book.now_s)
        book.problems.clear()
        decoded = self._decoder.read_v2(body) if message == V2 else self._decoder.read_v1(body)
        samples = self._write(decoded)
        histograms = self._histograms.write(decoded.histograms, self._in_time)
        exemplars = self._add_exemplars(decoded, strict=message == V2)
        if decoded.empty:
            book.complain("series without any sample", decoded.empty)
        for reason in decoded.refused:
            book.complain(reason)
        self._describe(decoded.families)
        problem = "; ".join(f"{count} x {reason}" for reason, count in book.problems.items())
        return Written(samples, histograms, exemplars, problem)

    def _write(self, decoded: Decoded) -> int:
        series, values, times = decoded.series, decoded.values, decoded.times
        if not len(series):
            return 0
        good = (series >= 0) & self._in_time(times, series)
        ended = 0
        if self._book.has_histograms:
            ends = good & self._histograms.ends(series, values)
            if ends.any():
                ended = self._histograms.end(series[ends], times[ends])
                good &= ~ends
        if np.count_nonzero(good) < len(good):
            series, values, times = series[good], values[good], times[good]
        if not len(series):
            return ended
        return ended + len(series) - self._rows.write(series, values, times)

    def _in_time(self, times: Times, series: Numbers) -> NDArray[np.bool_]:
        """Which samples are neither older than the retention nor too far ahead; the others are complained of."""
        now = self._clock.now_ms()
        early, late = times < now - self._retention_ms, times > now + _AHEAD_MS
        if np.count_nonzero(early):
            self._book.complain("samples older than the retention", int((early & (series >= 0)).sum()))
        if np.count_nonzero(late):
            self._book.complain("samples more than 10 minutes ahead", int((late & (series >= 0)).sum()))
        return np.asarray(~(early | late))

    def _add_exemplars(self, decoded: Decoded, *, strict: bool) -> int:
        """Hand exemplars on; with version 1.0 those refused are no failure, as they are not in its specification."""
        taken = 0
        for number, exemplar in decoded.exemplars:
            if number < 0:
                continue
            labels = self._book.labels[number]
            problem = self._exemplars.add_exemplar(labels, exemplar)
            taken += not problem
            if problem and strict:
                self._book.complain(f"exemplars of {render(labels)[:200]}: {problem}")
        return taken

    def _forget(self, now: float) -> None:
        """Forget series that senders no longer send."""
        if len(self._book) > _MOST_SERIES:
            self._book.clear()
        elif now - self._swept_s < _SWEEP_S or not self._book.sweep(now - _FORGET_S):
            return
        self._swept_s = now
        self._decoder.forget()
        self._histograms.forget()

    def _describe(self, families: list[Family]) -> None:
        fresh = [family for family in families if self._families.get(family.name) != family]
        if fresh:
            self._families.update({family.name: family for family in fresh})
            self._writer.describe(fresh)
