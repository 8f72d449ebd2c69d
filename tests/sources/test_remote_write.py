from __future__ import annotations

import contextlib
import struct
from typing import Any

import cramjam
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.clock import FixedClock
from sanso.model.errors import DecodeError
from sanso.model.frame import is_stale
from sanso.model.labels import Labels, series_of
from sanso.model.matchers import Matcher
from sanso.sources.remote_write import V1, V2, RemoteWriteReceiver
from sanso.sources.remote_write_schema import request_class
from sanso.store.exemplars import Exemplars
from sanso.store.store import Store

NOW = 1_790_000_000_000
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
Sent = list[tuple[Labels, list[tuple[int, float]]]]


def v1(series: Sent) -> bytes:
    request = request_class("v1")()
    for labels, samples in series:
        added = request.timeseries.add()
        for name, text in labels:
            added.labels.add(name=name, value=text)
        for time_ms, value in samples:
            added.samples.add(value=value, timestamp=time_ms)
    plain: bytes = request.SerializeToString()
    return plain


def v2(series: Sent) -> bytes:
    request = request_class("v2")()
    symbols = {"": 0}
    for labels, samples in series:
        added = request.timeseries.add()
        for text in (text for pair in labels for text in pair):
            added.labels.append(symbols.setdefault(text, len(symbols)))
        for time_ms, value in samples:
            added.samples.add(value=value, timestamp=time_ms)
    request.symbols.extend(symbols)
    plain: bytes = request.SerializeToString()
    return plain


def packed(plain: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(plain))


def receiver(retention_ms: int = 10**10) -> tuple[RemoteWriteReceiver, Store]:
    store = Store.in_memory(retention_ms=retention_ms)
    return RemoteWriteReceiver(store, Exemplars(), FixedClock(NOW), retention_ms, lambda: not store.notice), store


def held(store: Store) -> dict[tuple[Labels, int], float]:
    return {
        (labels, int(time_ms)): float(value)
        for frame in store.select([Matcher("__name__", "=~", ".+")], 0, NOW + 10**9)
        for labels, values in zip(frame.labels, frame.values, strict=True)
        for time_ms, value in zip(frame.timeline, values, strict=True)
        if value == value
    }


names = st.sampled_from([series_of("m", path=f"/{n}", job="a" * (n % 7 + 1)) for n in range(12)])
requests = st.lists(
    st.tuples(
        st.lists(names, min_size=1, unique=True),
        st.sampled_from([V1, V2]),
        st.integers(1, 3),
        st.floats(allow_nan=False, width=64),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(requests)
def test_what_is_sent_is_held_however_it_is_sent(sent: list[tuple[list[Labels], str, int, float]]) -> None:
    receive, store = receiver()
    expected: dict[tuple[Labels, int], float] = {}
    for turn, (series, message, each, value) in enumerate(sent):
        request = [(labels, [(NOW - 10**6 + 1000 * turn + n, value + n) for n in range(each)]) for labels in series]
        plain = v1(request) if message == V1 else v2(request)
        answer = receive.receive(packed(plain), message=message)
        assert (answer.problem, answer.samples) == ("", each * len(series))
        expected |= {(labels, time_ms): v for labels, samples in request for time_ms, v in samples}
    assert held(store) == expected


def test_a_sender_that_repeats_itself_is_read_by_template_and_to_the_bit() -> None:
    receive, store = receiver()
    series = [series_of("m", n=str(n)) for n in range(50)]
    random = np.random.default_rng(1)
    expected: dict[tuple[Labels, int], float] = {}
    for turn in range(20):
        values = random.normal(size=50) * (turn != 7)  # zeros are left out on the wire: another length
        time_ms = NOW - 10**6 + turn * 1000
        sent = [(labels, [(time_ms, float(value))]) for labels, value in zip(series, values, strict=True)]
        assert receive.receive(packed(v1(sent))).samples == 50
        expected |= {(labels, samples[0][0]): samples[0][1] for labels, samples in sent}
    assert held(store) == expected
    assert len(store.select([Matcher("__name__", "=", "m")], 0, NOW)) == 1  # one frame: series that come together


def test_stale_markers_arrive_as_they_are() -> None:
    receive, store = receiver()
    labels = series_of("m", a="b")
    for message, make in ((V1, v1), (V2, v2)):
        time_ms = NOW - (5000 if message == V1 else 3000)
        receive.receive(packed(make([(labels, [(time_ms, 1.0)])])), message=message)
        receive.receive(packed(make([(labels, [(time_ms + 1, STALE)])])), message=message)
    (frame,) = store.select([Matcher("a", "=", "b")], 0, NOW)
    assert is_stale(frame.values)[0].tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ((("a", "b"),), "no metric name"),
        ((("__name__", "m"), ("a", "b"), ("a", "c")), "a label stands twice"),
        ((("", "x"), ("__name__", "m")), "a label without a name"),
        ((("__name__", "m"), ("a", "x" * 20_000)), "a label is too long"),
        ((("__name__", "m"), *((f"l{n}", "x") for n in range(200))), "201 labels"),
    ],
)
@pytest.mark.parametrize(("message", "make"), [(V1, v1), (V2, v2)])
def test_bad_series_are_named_and_the_rest_is_kept(labels: Labels, why: str, message: str, make: Any) -> None:
    receive, store = receiver()
    good = series_of("good")
    answer = receive.receive(packed(make([(labels, [(NOW, 1.0)]), (good, [(NOW, 2.0)])])), message=message)
    assert why in answer.problem
    assert answer.samples == 1
    assert held(store) == {(good, NOW): 2.0}


def test_what_is_too_old_too_far_ahead_or_other_than_held_is_counted() -> None:
    receive, store = receiver(retention_ms=10_000_000)
    labels = series_of("m")
    assert receive.receive(packed(v1([(labels, [(NOW, 1.0)])]))).problem == ""
    assert receive.receive(packed(v1([(labels, [(NOW, 1.0)])]))).problem == ""  # sent again
    for time_ms, value, why in [
        (NOW, 2.0, "other than what is held"),
        (NOW - 5_000_000, 2.0, "out of order"),
        (NOW - 10_000_001, 2.0, "older than the retention"),
        (NOW + 601_000, 2.0, "ahead"),
    ]:
        answer = receive.receive(packed(v1([(labels, [(time_ms, value)])])))
        assert why in answer.problem
        assert answer.samples == 0
    assert held(store) == {(labels, NOW): 1.0}


def test_metadata_becomes_families() -> None:
    receive, store = receiver()
    request = request_class("v1")()
    request.metadata.add(type=1, name="m_total", help="Ms.", unit="")
    receive.receive(packed(request.SerializeToString()))
    assert store.families()["m_total"].type == "counter"
    request = request_class("v2")()
    request.symbols.extend(["", "__name__", "g", "G.", "bytes"])
    series = request.timeseries.add()
    series.labels.extend([1, 2])
    series.metadata.type, series.metadata.help, series.metadata.unit = 2, 3, 4
    receive.receive(packed(request.SerializeToString()), message=V2)
    assert (store.families()["g"].type, store.families()["g"].help, store.families()["g"].unit) == (
        "gauge",
        "G.",
        "bytes",
    )


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_taken_or_refused(body: bytes) -> None:
    receive, _ = receiver()
    for message in (V1, V2):
        for sent in (body, packed(body)):
            with contextlib.suppress(DecodeError):
                receive.receive(sent, message=message)


@given(place=st.integers(0, 10**6), damage=st.binary(min_size=1, max_size=3), learnt=st.booleans())
@settings(deadline=None)
def test_a_damaged_request_never_becomes_other_samples_silently(place: int, damage: bytes, *, learnt: bool) -> None:
    """What the template accepts, protobuf reads alike."""
    receive, _ = receiver()
    plain = v1([(series_of("m", n=str(n)), [(NOW, 1.5 + n)]) for n in range(4)])
    if learnt:
        receive.receive(packed(plain))
    place %= len(plain)
    damaged = plain[:place] + damage + plain[place + len(damage) :]
    try:
        found = receive._decoder.read_v1(damaged)
    except DecodeError:
        return
    request = request_class("v1").FromString(damaged)
    values = [sample.value for series in request.timeseries for sample in series.samples]
    times = [sample.timestamp for series in request.timeseries for sample in series.samples]
    assert np.array(values).tobytes() == found.values.tobytes()
    assert times == found.times.tolist()


def test_a_bomb_is_refused_by_its_length() -> None:
    receive, _ = receiver()
    with pytest.raises(DecodeError, match="more than 64 MiB"):
        receive.receive(b"\xff\xff\xff\xff\x0f" + b"\x00" * 10)
