from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.frame import STALE, Frame, absent
from sanso.model.labels import Labels, LabelSets, labels_of, series_of
from sanso.model.matchers import Matcher
from sanso.model.native_histogram import COMPONENT, Hint, NativeHistogram, component, parts
from sanso.promql.histograms.placed import NONE
from sanso.promql.histograms.reading import ENDED, HistogramFrame, separated, without_component
from tests.promql.histograms import oracle

Sample = NativeHistogram | float | None
ANY = st.one_of(st.none(), oracle.histograms(), oracle.customs())


def frame_of(series: dict[Labels, Sequence[Sample]], start: int = 0) -> Frame:
    """Series as a store has them: STALE ends all parts that a series had."""
    columns: dict[Labels, dict[int, float]] = {}
    length = max(len(samples) for samples in series.values())
    for labels, samples in series.items():
        seen: set[str] = set()
        for row, sample in enumerate(samples):
            if isinstance(sample, NativeHistogram):
                for part, value in parts(sample).items():
                    columns.setdefault(component(labels, part), {})[row] = value
                    seen.add(part)
            elif sample is STALE and seen:
                for part in seen:
                    columns[component(labels, part)][row] = STALE
            elif sample is not None:
                columns.setdefault(labels, {})[row] = sample
    values = absent(len(columns), length)
    for column, cells in enumerate(columns.values()):
        values[column, list(cells)] = list(cells.values())
    return Frame(list(columns), np.arange(start, start + length, dtype=np.int64), values)


def samples_of(frame: HistogramFrame, row: int) -> list[NativeHistogram | None]:
    return [frame.table.histogram(cell) if cell >= 0 else None for cell in frame.at[row].tolist()]


@given(st.lists(st.lists(ANY, min_size=4, max_size=4), min_size=1, max_size=4))
def test_what_was_written_is_read(several: list[list[NativeHistogram | None]]) -> None:
    series = {series_of("x", number=str(number)): samples for number, samples in enumerate(several)}
    given_frame = frame_of({series_of("level"): [1.0, 2.0, 3.0, 4.0], **series})
    floats, histograms = separated([given_frame])
    assert [frame.labels for frame in floats] == [[series_of("level")]]
    found = {labels: samples_of(frame, row) for frame in histograms for row, labels in enumerate(frame.labels)}
    assert found == {labels: samples for labels, samples in series.items() if any(samples)}


def test_frames_without_histograms_stay_what_they_are() -> None:
    frames = [Frame([series_of("x")], np.arange(2, dtype=np.int64), np.ones((1, 2)))]
    assert separated(frames) == (frames, [])
    assert separated(frames)[0] is frames


@given(st.lists(oracle.histograms(), min_size=2, max_size=2))
def test_parts_may_stand_in_several_frames(pair: list[NativeHistogram]) -> None:
    """A store gives a series that it found twice a frame of its own."""
    labels = series_of("x")
    whole = frame_of({labels: pair})
    split = [
        Frame([name], whole.timeline[held], np.ascontiguousarray(whole.values[row : row + 1][:, held]))
        for row, name in enumerate(whole.labels)
        for held in [~np.isnan(whole.values[row])]
    ]
    floats, histograms = separated(split)
    assert floats == []
    assert [frame.labels for frame in histograms] == [[labels]]
    assert samples_of(histograms[0], 0) == pair


def test_a_stale_marker_ends_a_series() -> None:
    one = NativeHistogram(0, 1.0, 1.0, positive=((0, 1.0),), hint=Hint.GAUGE)
    _, histograms = separated([frame_of({series_of("x"): [one, STALE, None]})])
    assert histograms[0].at.tolist() == [[0, ENDED, NONE]]


def test_a_bucket_that_ended_is_empty() -> None:
    """A source that leaves out an empty bucket ends its column, not the histogram."""
    labels = series_of("x")
    frame = frame_of({labels: [NativeHistogram(0, 1.0, 1.0, positive=((0, 1.0),)), NativeHistogram(0, 0.0, 0.0)]})
    column = frame.labels.index(component(labels, "s0:0"))
    frame.values[column, 1] = STALE
    _, histograms = separated([frame])
    assert samples_of(histograms[0], 0)[1] == NativeHistogram(0, 0.0, 0.0)


def test_a_series_may_be_both() -> None:
    """A float column that ends where the histogram begins ends nothing."""
    one = NativeHistogram(0, 1.0, 1.0, positive=((0, 1.0),))
    labels = series_of("x")
    frame = frame_of({labels: [1.0, one, 2.0], series_of("y"): [one, one, one]})
    frame.values[frame.labels.index(labels), 1] = STALE
    frame.values[frame.labels.index(component(labels, "schema")), 2] = STALE
    floats, histograms = separated([frame])
    assert floats == []
    both = next(found for found in histograms if found.labels == [labels])
    assert both.values is not None
    assert both.at.tolist() == [[NONE, 0, NONE]]
    assert both.values[0, [0, 2]].tolist() == [1.0, 2.0]
    assert [found.labels for found in histograms if found is not both] == [[series_of("y")]]


def test_nobody_selects_parts() -> None:
    name = Matcher("__name__", "=", "x")
    assert without_component([name]) == (name,)
    assert without_component([name, Matcher(COMPONENT, "=", "count")]) is None
    assert without_component([name, Matcher(COMPONENT, "!=", "count")]) == (name,)
    assert without_component([name, Matcher(COMPONENT, "=~", ".+")]) is None


@given(st.lists(st.lists(ANY, min_size=3, max_size=3), min_size=2, max_size=4), st.integers(0, 6))
def test_frames_of_one_timeline_are_read_as_one(several: list[list[NativeHistogram | None]], seed: int) -> None:
    """However the columns are dealt out, time after time, the histograms are the same."""
    series = {series_of("x", number=str(number)): samples for number, samples in enumerate(several)}
    whole = frame_of({series_of("level"): [1.0, 2.0, 3.0], **series})
    dealt = np.random.default_rng(seed).integers(0, 3, len(whole.labels))
    frames = [
        Frame(
            LabelSets(whole.labels[row] for row in np.flatnonzero(dealt == hand).tolist()),
            whole.timeline,
            whole.values[dealt == hand],
        )
        for hand in range(3)
        if (dealt == hand).any()
    ]
    for _ in range(2):
        floats, histograms = separated(frames)
        assert [labels for frame in floats for labels in frame.labels] == [series_of("level")]
        found = {labels: samples_of(frame, row) for frame in histograms for row, labels in enumerate(frame.labels)}
        assert found == {labels: samples for labels, samples in series.items() if any(samples)}


@pytest.mark.parametrize(
    "part", ["", "s", "s:", "sx:1", "s5:x", "s5:99999999", "le:", "le:x", "le:nan", "what", "s99:1"]
)
def test_what_is_no_part_does_no_harm(part: str) -> None:
    """A label that is ours by name, as some exporter may have it."""
    one = NativeHistogram(0, 1.0, 1.0, positive=((0, 1.0),))
    frame = frame_of({series_of("x"): [one, one]})
    odd = labels_of([*series_of("x"), (COMPONENT, part)])
    given_frame = Frame([*frame.labels, odd], frame.timeline, np.concatenate([frame.values, [[3.0, 4.0]]]))
    floats, histograms = separated([given_frame])
    found = histograms[-1]
    assert samples_of(found, 0) == [one, one]
    assert all(COMPONENT not in dict(labels) for frame in floats for labels in frame.labels)


def test_an_unknown_schema_is_no_histogram() -> None:
    frame = frame_of({series_of("x"): [NativeHistogram(0, 1.0, 1.0)] * 3})
    frame.values[frame.labels.index(component(series_of("x"), "schema"))] = [99.0, 0.0, np.nan]
    _, histograms = separated([frame])
    assert histograms[0].at.tolist() == [[NONE, 0, NONE]]


def test_frames_of_different_times_stay_apart() -> None:
    one = NativeHistogram(0, 1.0, 1.0, positive=((0, 1.0),))
    early, late = frame_of({series_of("x"): [one]}), frame_of({series_of("y"): [one]}, start=5)
    _, histograms = separated([early, late])
    assert [(frame.labels, frame.timeline.tolist()) for frame in histograms] == [
        ([series_of("x")], [0]),
        ([series_of("y")], [5]),
    ]


def test_a_gap_before_a_step_reaches_back_to_the_sample_before() -> None:
    """Of several series each one's newest is kept, and nothing else."""
    one = NativeHistogram(0, 1.0, 1.0, positive=((0, 1.0),))
    frame = frame_of({series_of("x"): [one, one, None, None], series_of("y"): [one, one, one, None]})
    _, histograms = separated([frame], np.array([2, 3]))
    assert histograms[0].timeline.tolist() == [1, 2]
    assert separated([frame], np.array([-1]))[1][0].at.size == 0
