"""Prometheus's remote read: POST /api/v1/read, samples or streamed XOR chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cramjam
import numpy as np
from starlette.responses import PlainTextResponse, Response

from sanso.exposition.wire import varint
from sanso.model.control import QueryControl
from sanso.model.errors import DecodeError, QueryError
from sanso.model.frame import Floats, Frame, Times, is_absent, is_stale
from sanso.model.labels import Labels, labels_of
from sanso.model.matchers import Matcher
from sanso.model.native_histogram import NativeHistogram, part_of, plain, whole
from sanso.sources.snappy import unpacked
from sanso.web.crc32c import crc32c
from sanso.web.door import Asked
from sanso.web.remote_read_messages import (
    SAMPLES,
    STREAMED_CHUNKS,
    ReadQuery,
    chunked_series,
    read_request,
    response,
    series,
)
from sanso.web.services import Services
from sanso.web.xor_chunks import xor_chunks

_MOST_REQUEST_BYTES = 32 << 20
_CHUNKS_A_FRAME = 500
"""About a megabyte at most."""
_STREAMED = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"

_Histograms = list[tuple[int, NativeHistogram]]
_Series = tuple[Labels, Times, Floats]


def remote_read(services: Services, asked: Asked) -> Response:
    """The samples of every selection; errors are plain text, as in Prometheus."""
    try:
        request = read_request(unpacked(asked.body, _MOST_REQUEST_BYTES))
        accepted = request.accepted or [SAMPLES]
        if not {SAMPLES, STREAMED_CHUNKS} & set(accepted):
            raise DecodeError(f"server does not support any of the requested response types: {accepted}")
        found = [_selected(services, query, asked.control) for query in request.queries]
    except (DecodeError, QueryError) as error:
        busy = isinstance(error, QueryError) and error.kind in ("timeout", "canceled")
        return PlainTextResponse(f"{error}\n", 503 if busy else 400)
    streamed = next(kind for kind in accepted if kind in (SAMPLES, STREAMED_CHUNKS)) == STREAMED_CHUNKS
    natives = any(histograms for _, histograms in found)
    if natives and SAMPLES not in accepted:
        return PlainTextResponse("native histograms are read as samples only: accept those too\n", 400)
    if streamed and not natives:
        return Response(b"".join(_frames(found, asked.control)), media_type=_STREAMED)
    body = bytes(cramjam.snappy.compress_raw(_sampled(found)))
    return Response(body, media_type="application/x-protobuf", headers={"Content-Encoding": "snappy"})


def _selected(
    services: Services, query: ReadQuery, control: QueryControl
) -> tuple[list[_Series], dict[Labels, _Histograms]]:
    """The series of a selection by their labels, plain ones and native histograms."""
    external = services.external_labels
    matchers = [_local(matcher, dict(external)) for matcher in query.matchers]
    frames = services.reader.select(matchers, query.start_ms, query.end_ms)
    size = sum(frame.values.size for frame in frames)
    control.hold(size, read=size)

    def named(labels: Labels) -> Labels:
        return labels_of({**dict(external), **dict(labels)}) if external else labels

    found = [(named(labels), times, values) for frame in frames for labels, times, values in _rows(frame)]
    histograms = {named(labels): values for labels, values in _natives(frames)}
    return sorted(found, key=lambda row: row[0]), histograms


def _local(matcher: Matcher, external: dict[str, str]) -> Matcher:
    """A matcher that asks for one of our own external labels: series do not carry it."""
    if matcher.op == "=" and matcher.value and external.get(matcher.name) == matcher.value:
        return Matcher(matcher.name, "=", "")
    return matcher


def _rows(frame: Frame) -> Iterator[_Series]:
    """Each plain series with the samples it has, stale markers among them."""
    held = ~is_absent(frame.values)
    full = set(np.flatnonzero(held.all(axis=1)).tolist())
    for row, labels in enumerate(frame.labels):
        if part_of(labels):
            continue
        if row in full:
            yield labels, frame.timeline, np.ascontiguousarray(frame.values[row])
        elif held[row].any():
            yield labels, frame.timeline[held[row]], frame.values[row][held[row]]


def _natives(frames: Sequence[Frame]) -> Iterator[tuple[Labels, _Histograms]]:
    """The native histograms of frames; the parts of one may lie in several."""
    parts: dict[Labels, list[tuple[str, Frame, int]]] = {}
    for frame in frames:
        for row, labels in enumerate(frame.labels):
            if part := part_of(labels):
                parts.setdefault(plain(labels), []).append((part, frame, row))
    for labels, rows in parts.items():
        found = [(time, whole(held)) for time, held in sorted(_by_time(rows).items()) if "schema" in held]
        if found:
            yield labels, found


def _by_time(rows: Sequence[tuple[str, Frame, int]]) -> dict[int, dict[str, float]]:
    """The parts that one histogram has at each time."""
    found: dict[int, dict[str, float]] = {}
    for part, frame, row in rows:
        values = np.ascontiguousarray(frame.values[row])
        held = ~(is_absent(values) | is_stale(values))
        for time, value in zip(frame.timeline[held].tolist(), values[held].tolist(), strict=True):
            found.setdefault(time, {})[part] = value
    return found


def _sampled(found: Sequence[tuple[list[_Series], dict[Labels, _Histograms]]]) -> bytes:
    results = []
    for plain_series, histograms in found:
        left = dict(histograms)
        written = [series(labels, times, values, left.pop(labels, ())) for labels, times, values in plain_series]
        nothing = np.empty(0, dtype=np.int64), np.empty(0)
        results.append(written + [series(labels, *nothing, held) for labels, held in sorted(left.items())])
    return response(results)


def _frames(found: Sequence[tuple[list[_Series], dict[Labels, _Histograms]]], control: QueryControl) -> Iterator[bytes]:
    """Length, checksum and message of each series of plain samples."""
    for query, (plain_series, _) in enumerate(found):
        messages: list[bytes] = []
        for labels, times, values in plain_series:
            control.check()
            chunks = list(xor_chunks(times, values))
            messages += [
                chunked_series(labels, chunks[start : start + _CHUNKS_A_FRAME], query)
                for start in range(0, len(chunks), _CHUNKS_A_FRAME)
            ]
        for message, checksum in zip(messages, crc32c(messages), strict=True):
            yield varint(len(message)) + checksum.to_bytes(4, "big") + message
