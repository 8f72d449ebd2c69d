from __future__ import annotations

import contextlib
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.clock import FixedClock
from sanso.model.errors import DecodeError
from sanso.model.exemplars import Exemplar
from sanso.model.frame import ABSENT, is_absent, is_stale
from sanso.model.labels import Labels, labels_of, series_of
from sanso.model.matchers import Matcher
from sanso.sources.remote_write import V1, V2, RemoteWriteReceiver, Written
from sanso.sources.remote_write_schema import request_class
from sanso.store.exemplars import Exemplars
from sanso.store.store import Store
from tests.sources.remote_write_requests import packed

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


def v2(series: Sent, *, described: bool = False) -> bytes:
    request = request_class("v2")()
    symbols = {"": 0}
    if described:
        symbols["What it is."] = 1
    for labels, samples in series:
        added = request.timeseries.add()
        for text in (text for pair in labels for text in pair):
            added.labels.append(symbols.setdefault(text, len(symbols)))
        if described:
            added.metadata.type, added.metadata.help = len(labels) % 3, 1
        for time_ms, value in samples:
            added.samples.add(value=value, timestamp=time_ms)
    request.symbols.extend(symbols)
    plain: bytes = request.SerializeToString()
    return plain


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


@pytest.mark.parametrize(("message", "make"), [(V1, v1), (V2, v2)])
@pytest.mark.parametrize("place", ["name", "value"])
def test_a_text_that_is_not_utf_8_costs_its_series_alone(place: str, message: str, make: Any) -> None:
    receive, store = receiver()
    good, label = series_of("good", a="é"), ("ODD", "x") if place == "name" else ("x", "ODD")
    body = make([((("__name__", "m"), label), [(NOW, 1.0)]), (good, [(NOW, 2.0)])]).replace(b"ODD", b"a\xff\xfe")
    for _ in range(2):
        answer = receive.receive(packed(body), message=message)
        assert answer.problem.endswith("a text that is not UTF-8")
        answer.problem.encode()
        assert answer.samples == 1
        assert held(store) == {(good, NOW): 2.0}


def test_what_is_said_of_metrics_need_not_be_utf_8() -> None:
    receive, store = receiver()
    request = request_class("v1")()
    request.metadata.add(type=1, name="m_total", help="ODD")
    body = bytes(request.SerializeToString()).replace(b"ODD", b"a\xffb")
    assert not receive.receive(packed(body)).problem
    assert store.families()["m_total"].help == "a?b"


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


def with_exemplars(version: str, times: list[int], *, trace: str = "1f") -> bytes:
    request = request_class(version)()
    series = request.timeseries.add()
    if version == "v2":
        request.symbols.extend(["", "__name__", "m", "trace_id", trace])
        series.labels.extend([1, 2])
    else:
        series.labels.add(name="__name__", value="m")
    series.samples.add(value=1.0, timestamp=NOW)
    for time_ms in times:
        exemplar = series.exemplars.add(value=0.5, timestamp=time_ms)
        if version == "v2":
            exemplar.labels.extend([3, 4])
        else:
            exemplar.labels.add(name="trace_id", value=trace)
    return packed(request.SerializeToString())


@pytest.mark.parametrize(("version", "message"), [("v1", V1), ("v2", V2)])
def test_exemplars_are_kept_and_counted(version: str, message: str) -> None:
    kept = Exemplars()
    receive = RemoteWriteReceiver(Store.in_memory(retention_ms=10**10), kept, FixedClock(NOW), 10**10, lambda: True)
    answer = receive.receive(with_exemplars(version, [NOW - 2, NOW - 1]), message=message)
    assert (answer.samples, answer.exemplars, answer.problem) == (1, 2, "")
    ((series, exemplars),) = kept.exemplars([[Matcher("__name__", "=", "m")]], 0, NOW)
    assert series == series_of("m")
    assert exemplars == [Exemplar((("trace_id", "1f"),), 0.5, NOW - 2), Exemplar((("trace_id", "1f"),), 0.5, NOW - 1)]
    answer = receive.receive(with_exemplars(version, [NOW - 10], trace="2f"), message=message)
    assert answer.exemplars == 0
    assert ("older than the series' newest" in answer.problem) == (message == V2)


def test_version_2_wants_a_sample_in_each_series() -> None:
    receive, _ = receiver()
    assert receive.receive(packed(v2([(series_of("m"), [])])), message=V2).problem == "1 x series without any sample"
    request = request_class("v2").FromString(v2([(series_of("m"), [])]))
    request.timeseries[0].exemplars.add(value=1.0, timestamp=NOW)  # Prometheus sends exemplars on their own
    assert receive.receive(packed(request.SerializeToString()), message=V2) == Written(0, exemplars=1)


@pytest.mark.parametrize(
    ("references", "metadata", "exemplar", "why", "kept"),
    [
        ([1, 99], None, None, "series of label references [1, 99]: a reference to symbol 99, beyond the 6", ()),
        ([1, 3, 4], None, None, "series of label references [1, 3, 4]: an odd number of label references", ()),
        ([1, 3, 0, 4], None, None, "a label without a name", ()),
        ([4, 5], None, None, "no metric name", ()),
        ([1, 3], (99, 0), None, "a reference to symbol 99", ()),
        ([1, 3], (0, 6), None, "a reference to symbol 6", ()),
        ([1, 3], None, [4, 6], "exemplars of odd: a reference to symbol 6", (series_of("odd"),)),
        ([1, 3], None, [4], "exemplars of odd: an odd number", (series_of("odd"),)),
    ],
)
def test_bad_references_cost_their_series_alone(
    references: list[int], metadata: tuple[int, int] | None, exemplar: list[int] | None, why: str, kept: tuple[Labels]
) -> None:
    request = request_class("v2")()
    request.symbols.extend(["", "__name__", "good", "odd", "a", "b"])
    for each in ([1, 2], references, [1, 2, 4, 5]):
        series = request.timeseries.add(labels=each)
        series.samples.add(value=1.0, timestamp=NOW)
        if each is references and metadata:
            series.metadata.help, series.metadata.unit = metadata
        if each is references and exemplar:
            series.exemplars.add(value=1.0, timestamp=NOW, labels=exemplar)
    receive, store = receiver()
    for _ in range(2):  # again, with the symbols known
        answer = receive.receive(packed(request.SerializeToString()), message=V2)
        assert why in answer.problem
        assert (answer.samples, answer.exemplars) == (2 + len(kept), 0)
    good = {series_of("good"), series_of("good", a="b")}
    assert {labels for labels, _ in held(store)} == good | set(kept)


def test_labels_out_of_order_or_empty_are_the_same_series() -> None:
    receive, store = receiver()
    for n, labels in enumerate(
        [(("__name__", "m"), ("a", "b")), (("a", "b"), ("__name__", "m")), (("__name__", "m"), ("a", "b"), ("c", ""))]
    ):
        assert receive.receive(packed(v1([(labels, [(NOW - 9 + n, 1.0)])]))).problem == ""
    assert {labels for labels, _ in held(store)} == {series_of("m", a="b")}


def test_two_values_at_one_time_in_a_request_leave_the_first() -> None:
    receive, store = receiver()
    labels = series_of("m")
    answer = receive.receive(packed(v1([(labels, [(NOW, 1.0), (NOW, 1.0)])])))
    assert (answer.samples, answer.problem) == (2, "")
    answer = receive.receive(packed(v1([(labels, [(NOW + 1, 2.0), (NOW + 1, 3.0)])])))
    assert (answer.samples, answer.problem) == (1, "1 x series m: two values at one time")
    assert held(store) == {(labels, NOW): 1.0, (labels, NOW + 1): 2.0}


def test_the_one_refused_series_among_many_is_named() -> None:
    receive, store = receiver()
    many = [(series_of("m", n=str(n)), [(NOW, 1.0)]) for n in range(40)]
    receive.receive(packed(v1(many)))
    many[17] = (many[17][0], [(NOW, 5.0)])
    answer = receive.receive(packed(v1(many)))
    assert answer.samples == 39
    assert answer.problem.startswith('1 x series m{n="17"}: out of order')
    assert set(held(store).values()) == {1.0}


def test_the_bits_that_mean_absent_to_us_are_a_nan_like_any_other() -> None:
    receive, store = receiver()
    assert receive.receive(packed(v1([(series_of("m"), [(NOW, ABSENT)])]))).samples == 1
    (frame,) = store.select([Matcher("__name__", "=", "m")], 0, NOW)
    assert not is_absent(frame.values).any()
    assert np.isnan(frame.values).all()


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_stream_cut_anywhere_is_held_as_sent(data: st.DataObject) -> None:
    """Targets' scrapes one after the other, cut into requests wherever they are full: as a Prometheus sends."""
    receive, store = receiver()
    message, described = data.draw(st.sampled_from([V1, V2])), data.draw(st.booleans())
    targets = [
        [series_of("m", n=str(n), instance=f"host-{target}") for n in range(data.draw(st.integers(1, 50)))]
        for target in range(data.draw(st.integers(1, 3)))
    ]
    stream: Sent = [
        (labels, [(NOW - 10**6 + turn * 1000 + target, float(turn % 3 * n))])
        for turn in range(data.draw(st.integers(1, 6)))
        for target, series in enumerate(targets)
        for n, labels in enumerate(series)
    ]
    size = data.draw(st.integers(1, 60))
    for begin in range(0, len(stream), size):
        request = stream[begin : begin + size]
        plain = v1(request) if message == V1 else v2(request, described=described)
        answer = receive.receive(packed(plain), message=message)
        assert (answer.samples, answer.problem) == (len(request), "")
    assert held(store) == {(labels, time_ms): value for labels, ((time_ms, value),) in stream}


def test_series_that_came_no_more_are_forgotten_and_may_come_back() -> None:
    store, clock = Store.in_memory(retention_ms=10**10), FixedClock(NOW)
    receive = RemoteWriteReceiver(store, Exemplars(), clock, 10**10, lambda: True)
    first = [series_of("m", pod="a", n=str(n)) for n in range(60)]
    second = [series_of("m", pod="b", n=str(n)) for n in range(60)]
    expected: dict[tuple[Labels, int], float] = {}
    for turn in range(20):
        sent = [(labels, [(clock.now_ms(), float(turn))]) for labels in (second if 0 < turn < 19 else first)]
        assert receive.receive(packed(v1(sent))).problem == ""
        assert len(receive._book) <= 120
        expected |= {(labels, samples[0][0]): samples[0][1] for labels, samples in sent}
        clock.advance(700)
        if turn == 15:
            assert len(receive._book) == 60
    assert held(store) == expected


def test_several_requests_are_one_transaction_and_each_has_its_answer() -> None:
    receive, store = receiver()
    commits = 0
    commit = store.commit

    def counted() -> None:
        nonlocal commits
        commits += 1
        commit()

    store.commit = counted  # type: ignore[method-assign]
    good = packed(v1([(series_of("m"), [(NOW, 1.0)])]))
    found = receive.receive_all([(good, V1), (b"\x05nonsense", V1), (packed(v2([(series_of("n"), [(NOW, 2.0)])])), V2)])
    assert commits == 1
    assert [isinstance(one, DecodeError) for one in found] == [False, True, False]
    assert len(held(store)) == 2


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


@given(place=st.integers(0, 10**6), damage=st.binary(min_size=1, max_size=3))
@settings(deadline=None)
def test_a_damaged_request_of_version_2_never_becomes_other_samples(place: int, damage: bytes) -> None:
    """What is read by its shape, protobuf reads alike."""
    receive, _ = receiver()
    plain = v2([(series_of("m", n=str(n), job="a"), [(NOW, 1.5 * n)]) for n in range(4)])
    receive.receive(packed(plain), message=V2)
    place %= len(plain)
    damaged = plain[:place] + damage + plain[place + len(damage) :]
    found = receive._decoder._symbols.read(damaged)
    if found is None:
        return
    request = request_class("v2").FromString(damaged)
    symbols = list(request.symbols)
    sent = [
        (labels_of(zip(*[iter(symbols[n] for n in series.labels)] * 2, strict=True)), sample.value, sample.timestamp)
        for series in request.timeseries
        for sample in series.samples
    ]
    labels = [receive._book.labels[number] for number in found[0].tolist()]
    assert sent == list(zip(labels, found[1].tolist(), found[2].tolist(), strict=True))


def test_requests_of_version_2_are_read_by_their_shape_once_series_are_known() -> None:
    receive, store = receiver()
    series = [series_of("m", n=str(n), instance=f"host-{n % 3}") for n in range(300)]
    for turn in range(3):
        order = series if turn < 2 else series[::-1]  # other numbers for the same symbols
        sent = [(labels, [(NOW + turn, float(turn * n % 5))]) for n, labels in enumerate(order)]
        plain = v2(sent, described=True)
        assert (receive._decoder._symbols.read(plain) is None) == (turn == 0)
        assert receive.receive(packed(plain), message=V2) == Written(300)
    assert len(held(store)) == 900
    assert store.families()["m"].help == "What it is."


def test_a_bomb_is_refused_by_its_length() -> None:
    receive, _ = receiver()
    with pytest.raises(DecodeError, match="more than 64 MiB"):
        receive.receive(b"\xff\xff\xff\xff\x0f" + b"\x00" * 10)
