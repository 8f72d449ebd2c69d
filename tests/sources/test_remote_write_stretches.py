from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.labels import Labels, series_of
from sanso.sources.remote_write_schema import request_class
from sanso.sources.remote_write_stretches import StretchReader

START = 1_790_000_000_000
Stream = list[tuple[Labels, int, float]]


def encoded(stream: Sequence[tuple[Labels, int, float]]) -> bytes:
    request = request_class("v1")()
    for labels, time_ms, value in stream:
        series = request.timeseries.add()
        for name, text in labels:
            series.labels.add(name=name, value=text)
        series.samples.add(value=value, timestamp=time_ms)
    return bytes(request.SerializeToString())


class Numbering:
    """Numbers of series by their labels' bytes; counts how often it was asked."""

    def __init__(self) -> None:
        self.known: dict[bytes, int] = {}

    def __call__(self, key: bytes) -> int:
        return self.known.setdefault(key, len(self.known))


def key_of(labels: Labels) -> bytes:
    return bytes(encoded([(labels, START, 0.0)])[2:-9])


def scrapes(targets: Sequence[int], turns: int, seed: int = 1) -> Stream:
    """Targets' scrapes one after the other; a value is now and then zero."""
    random = np.random.default_rng(seed)
    return [
        (series_of("m", n=str(n), target=str(target)), START + 1000 * turn + target, value)
        for turn in range(turns)
        for target, count in enumerate(targets)
        for n, value in enumerate((random.normal(size=count) * (random.random(count) > 0.02)).tolist())
    ]


def read_all(reader: StretchReader, numbering: Numbering, stream: Stream, sizes: Sequence[int]) -> None:
    """Read it in requests of these sizes, and see that it is what was sent, to the bit."""
    begin, turn = 0, 0
    while begin < len(stream):
        part = stream[begin : begin + sizes[turn % len(sizes)]]
        found = reader.read(encoded(part), numbering)
        assert found is not None
        series, values, times = found
        assert series.tolist() == [numbering.known[key_of(labels)] for labels, _, _ in part]
        assert values.tobytes() == np.array([value for _, _, value in part]).tobytes()
        assert times.tolist() == [time_ms for _, time_ms, _ in part]
        begin, turn = begin + len(part), turn + 1


@settings(max_examples=60, deadline=None)
@given(
    targets=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    sizes=st.lists(st.integers(1, 130), min_size=1, max_size=5),
    most_bytes=st.sampled_from([1, 20_000, 1 << 20]),
    seed=st.integers(0, 100),
)
def test_a_stream_is_read_as_sent_wherever_it_is_cut(
    targets: list[int], sizes: list[int], most_bytes: int, seed: int
) -> None:
    reader, numbering = StretchReader(most_bytes), Numbering()
    read_all(reader, numbering, scrapes(targets, 6, seed), sizes)
    assert reader._bytes == sum(each.size for each in reader._stretches.values())
    assert len(reader._stretches) == 1 or reader._bytes <= most_bytes


def test_a_stream_cut_elsewhere_goes_on_in_stretches_that_were_read_before() -> None:
    reader, numbering = StretchReader(), Numbering()
    stream = [(labels, time_ms, value + 9.0) for labels, time_ms, value in scrapes([170, 130, 90], 9)]
    read_all(reader, numbering, stream[: 3 * 390], [100])
    asked = []
    for begin in range(3 * 390, len(stream) - 170, 170):
        body = encoded(stream[begin : begin + 170])
        runs = reader._runs(body, np.frombuffer(body, dtype=np.uint8))
        assert runs is not None
        asked.append(len(runs))
    assert max(asked) <= 5
    read_all(reader, numbering, stream[3 * 390 :], [170])


def test_series_that_come_in_another_order_are_the_same_series() -> None:
    reader, numbering = StretchReader(), Numbering()
    stream = scrapes([150], 1)
    for turn in range(4):
        order = np.random.default_rng(turn).permutation(len(stream)).tolist()
        read_all(reader, numbering, [stream[place] for place in order], [150])
        assert len(reader._stretches) == 1  # the newest has them all
    assert len(numbering.known) == 150


def test_a_series_that_is_new_or_cut_off_is_not_taken_for_a_known_one() -> None:
    reader, numbering = StretchReader(), Numbering()
    stream = scrapes([40], 2)
    read_all(reader, numbering, stream, [40])
    new = (series_of("m", n="new"), START, 1.0)
    read_all(reader, numbering, [*stream[:20], new, *stream[20:40]], [60])
    body = encoded(stream[:40])
    for end in (len(body) - 1, len(body) - 20, 5, 2, 1):
        assert reader.read(body[:end], numbering) is None


def test_a_series_that_came_only_beside_a_refused_one_is_known_by_its_labels() -> None:
    reader = StretchReader()
    stream = scrapes([2], 1)
    numbers = {key_of(stream[0][0]): 0, key_of(stream[1][0]): -1}
    for _ in range(3):
        found = reader.read(encoded(stream), numbers.get)
        assert found is not None
        assert found[0].tolist() == [0, -1]


def test_numbers_given_anew_are_asked_for_anew() -> None:
    reader = StretchReader()
    stream = scrapes([40], 3)
    read_all(reader, Numbering(), stream, [40])
    reader.forget()
    other = Numbering()
    other.known[b"another"] = 0
    read_all(reader, other, stream, [40])


@pytest.mark.parametrize("time_ms", [0, 1, 127, 1 << 34, (1 << 35) - 1, 1 << 35, (1 << 42) - 1, 1 << 42, -1])
def test_times_of_another_length_are_left_to_others(time_ms: int) -> None:
    found = StretchReader().read(encoded([(series_of("m"), time_ms, 1.0)]), Numbering())
    if 1 << 35 <= time_ms < 1 << 42:
        assert found is not None
        assert found[2].tolist() == [time_ms]
    else:
        assert found is None
