from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import cramjam
import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.exposition.wire import varint
from sanso.model.errors import DecodeError, QueryError
from sanso.model.frame import ABSENT, STALE_BITS, Columns, Row
from sanso.model.labels import labels_of, series_of
from sanso.model.native_histogram import CUSTOM_SCHEMA, Hint, NativeHistogram, component, parts
from sanso.runtime.monitor import Monitor
from sanso.sources.remote_write_schema import request_class
from sanso.web.crc32c import crc32c
from sanso.web.remote_read_messages import ReadRequest, read_request
from tests.web.hosted import START, hosted
from tests.web.test_xor_chunks import decoded

EXPONENTIAL = NativeHistogram(
    3,
    9.0,
    12.5,
    1.0,
    0.25,
    positive=((-2, 2.0), (-1, 1.0), (4, 3.0)),
    negative=((0, 1.0), (1, 1.0)),
    hint=Hint.NO_RESET,
)
CUSTOM = NativeHistogram(CUSTOM_SCHEMA, 3.0, 1.0, positive=((0, 1.0), (2, 2.0)), bounds=(0.5, 1.0))


def add_histograms(watching: Monitor) -> None:
    """Two native histograms, the second of them ends."""
    for name, histogram in (("exponential", EXPONENTIAL), ("custom", CUSTOM)):
        held = parts(histogram)
        columns = Columns(tuple(component(series_of(name, job="h"), part) for part in held))
        watching.store.append(name, START + 5000, Row(columns, np.array(list(held.values()))))


def add_spread_histogram(watching: Monitor) -> None:
    """One whose parts lie in frames of their own, as where buckets are added one after the other."""
    for number, (part, value) in enumerate(parts(EXPONENTIAL).items()):
        columns = Columns((component(series_of("grown", job="h"), part),))
        watching.store.append(f"grown{number}", START + 5000, Row(columns, np.array([value])))


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with hosted() as (watching, url), httpx.Client(base_url=url) as client:
        add_histograms(watching)
        add_spread_histogram(watching)
        yield client


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def request(*queries: tuple[list[tuple[int, str, str]], int, int], accepted: bytes = b"") -> bytes:
    body = b""
    for matchers, start, end in queries:
        query = b"\x08" + varint(start) + b"\x10" + varint(end)
        for kind, name, value in matchers:
            query += field(3, b"\x08" + varint(kind) + field(2, name.encode()) + field(3, value.encode()))
        body += field(1, query)
    return bytes(cramjam.snappy.compress_raw(body + (field(2, accepted) if accepted else b"")))


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """A message's fields as they stand on the wire."""
    place = 0

    def unsigned() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(message):
        key = unsigned()
        if key & 7 == 0:
            yield key >> 3, unsigned()
        else:
            assert key & 7 == 2
            size = unsigned()
            yield key >> 3, message[place : place + size]
            place += size


def sampled(api: httpx.Client, *queries: Any) -> list[Any]:
    """The series of each query, in the samples form."""
    answer = api.post("/api/v1/read", content=request(*queries))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-protobuf"
    results = [content for _, content in fields(bytes(cramjam.snappy.decompress_raw(answer.content)))]
    return [request_class("v1").FromString(result).timeseries for result in results]


def labels(series: Any) -> dict[str, str]:
    return {label.name: label.value for label in series.labels}


def test_samples_of_several_queries(api: httpx.Client) -> None:
    up, gaps, nothing = sampled(
        api,
        ([(0, "__name__", "up"), (2, "job", "a|c")], START + 1000, START + 3000),
        ([(0, "__name__", "now_and_then")], START, START + 10_000),
        ([(0, "__name__", "nothing")], START, START + 10_000),
    )
    assert [labels(series) for series in up] == [{"__name__": "up", "job": "a", "instance": 'x"y\n'}]
    assert [(s.timestamp, s.value) for s in up[0].samples] == [(START + 1000 * i, 1.0) for i in (1, 2, 3)]
    assert [(s.timestamp, s.value) for s in gaps[0].samples] == [(START + 1000 * i, i - 1.0) for i in (2, 4, 6, 8, 10)]
    assert list(nothing) == []


def test_every_kind_of_matcher(api: httpx.Client) -> None:
    name = (0, "__name__", "up")
    for kind, value, found in ((0, "a", ["a"]), (1, "a", ["b"]), (2, "a|b", ["a", "b"]), (3, "a.*", ["b"])):
        (series,) = sampled(api, ([name, (kind, "job", value)], START, START + 60_000))
        assert [labels(each)["job"] for each in series] == found


def histogram_of(message: Any) -> NativeHistogram:
    def buckets(spans: Any, counts: Any) -> tuple[tuple[int, float], ...]:
        found, index, left = [], 0, list(counts)
        for span in spans:
            index += span.offset
            for _ in range(span.length):
                found.append((index, left.pop(0)))
                index += 1
        assert not left
        return tuple(found)

    return NativeHistogram(
        message.schema, message.count_float, message.sum, message.zero_count_float, message.zero_threshold,
        buckets(message.positive_spans, message.positive_counts),
        buckets(message.negative_spans, message.negative_counts),
        tuple(message.custom_values), Hint(message.reset_hint),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "histogram"), [("exponential", EXPONENTIAL), ("custom", CUSTOM), ("grown", EXPONENTIAL)]
)
def test_native_histograms_come_whole(api: httpx.Client, name: str, histogram: NativeHistogram) -> None:
    (found,) = sampled(api, ([(0, "__name__", name)], START, START + 60_000))
    assert [labels(series) for series in found] == [{"__name__": name, "job": "h"}]
    (message,) = found[0].histograms
    assert message.timestamp == START + 5000
    assert histogram_of(message) == histogram


def test_streamed_chunks(api: httpx.Client) -> None:
    query = ([(2, "__name__", "up|now_and_then")], START, START + 60_000)
    answer = api.post("/api/v1/read", content=request(query, query, accepted=b"\x01\x00"))
    assert answer.headers["content-type"] == "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
    found = []
    body = answer.content
    while body:
        size = shift = place = 0
        while True:
            size |= (body[place] & 127) << shift
            shift, place = shift + 7, place + 1
            if body[place - 1] < 128:
                break
        checksum, message = body[place : place + 4], body[place + 4 : place + 4 + size]
        assert int.from_bytes(checksum, "big") == crc32c([message])[0]
        content = dict(fields(message))
        series = list(fields(content[1]))
        named = labels_of([(dict(fields(c))[1].decode(), dict(fields(c))[2].decode()) for n, c in series if n == 1])
        samples = []
        for chunk in (dict(fields(c)) for n, c in series if n == 2):
            assert chunk[3] == 1
            samples += decoded(chunk[4])
            assert samples[-1][0] == chunk[2]
        found.append((content.get(2, 0), named, samples))
        body = body[place + 4 + size :]
    assert [(number, dict(named).get("job")) for number, named, _ in found] == [
        (0, None), (0, "a"), (0, "b"), (1, None), (1, "a"), (1, "b"),
    ]  # fmt: skip
    values = np.array([bits for _, bits in found[0][2]], dtype=np.uint64).view(np.float64)
    assert values.tolist() == [float(tick) for tick in range(1, 30, 2)]
    assert len(found[1][2]) == 30


def test_histograms_are_not_streamed_where_samples_are_taken_too(api: httpx.Client) -> None:
    query = ([(0, "__name__", "exponential")], START, START + 60_000)
    answer = api.post("/api/v1/read", content=request(query, accepted=b"\x01\x00"))
    assert answer.headers["content-type"] == "application/x-protobuf"
    only = api.post("/api/v1/read", content=request(query, accepted=b"\x01"))
    assert (only.status_code, "accept those too" in only.text) == (400, True)


def test_stale_markers_are_sent() -> None:
    with hosted() as (watching, url):
        columns = Columns((series_of("short", job="x"),))
        watching.store.append("short", START + 1000, Row(columns, np.array([5.0])))
        watching.store.append("short", START + 2000, Row(Columns(()), np.array([])))
        with httpx.Client(base_url=url) as api:
            ((series,),) = sampled(api, ([(0, "__name__", "short")], START, START + 60_000))
        bits = [int(np.float64(sample.value).view(np.uint64)) for sample in series.samples]
        assert bits[1:] == [STALE_BITS]
        assert ABSENT != ABSENT


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "the body is empty"),
        (b"\xff\xff\xff", "not snappy"),
        (bytes(cramjam.snappy.compress_raw(b"\xff\xff")), "not a remote-read request"),
        (request(([(2, "a", "(")], 0, 1)), "regexp"),
        (request(([(7, "a", "b")], 0, 1)), "invalid matcher type 7"),
        (request(([(0, "a", "b")], 0, 1), accepted=b"\x05"), "does not support any of the requested response types"),
        (varint(1 << 31) + b"\x00", "more than 32 MiB"),
    ],
)
def test_what_cannot_be_read_is_refused(api: httpx.Client, body: bytes, text: str) -> None:
    answer = api.post("/api/v1/read", content=body)
    assert answer.status_code == 400
    assert text in answer.text


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(body: bytes) -> None:
    with contextlib.suppress(DecodeError, QueryError):
        assert isinstance(read_request(body), ReadRequest)
