"""Laws of evaluation with floats and histograms side by side: a range is its instants, and nothing ever falls over."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, is_absent
from sanso.model.labels import Labels, series_of
from sanso.model.native_histogram import NativeHistogram
from sanso.model.series import Answer
from sanso.promql.engine import PromEngine
from tests.promql.histograms import oracle
from tests.promql.histograms.test_engine import engine
from tests.promql.histograms.test_reading import Sample, frame_of

ROWS = 6
SAMPLE: st.SearchStrategy[Sample] = st.one_of(
    st.none(), st.integers(0, 9).map(float), oracle.histograms(schemas=(0, 1)), oracle.customs()
)
SERIES = [series_of("x", n=n, g=g) for n, g in (("1", "a"), ("2", "a"), ("3", "b"))]
DATA = st.lists(st.lists(SAMPLE, min_size=ROWS, max_size=ROWS), min_size=3, max_size=3)
WINDOWED = (
    "rate", "increase", "delta", "irate", "idelta", "sum_over_time", "avg_over_time", "count_over_time", "resets",
    "changes", "last_over_time", "first_over_time", "present_over_time", "max_over_time", "stddev_over_time",
    "absent_over_time", "ts_of_last_over_time", "deriv",
)  # fmt: skip
PLAIN = (
    "{}", "-{}", "histogram_quantile(0.7, {})", "histogram_fraction(-1, 2, {})", "histogram_count({})",
    "histogram_sum({})", "histogram_avg({})", "histogram_stddev({})", "sum({})", "avg by (g) ({})", "count by (g) ({})",
    "max({})", "topk(9, {})", "limitk(9, {})", "count_values('v', {})", "absent({})", "timestamp({})", "{} * 2",
    "{} / 2", "2 / {}", "{} > 1", "{} == {}", "{} - {}", "{} + on (n) {}", "{} and {}", "{} unless {}",
    "{} or vector(1)",
    "scalar({}) + 1", "label_replace({}, 'm', '$1', 'n', '(.)')", "quantile(0.5, {})", "group by (n) ({})",
)  # fmt: skip


def expressions() -> st.SearchStrategy[str]:
    ranges = st.builds(lambda name, width: f"{name}(x[{width}s])", st.sampled_from(WINDOWED), st.integers(1, 7))
    subquery = st.builds(lambda name: f"{name}(x[4s:1s])", st.sampled_from(WINDOWED))
    leaf = st.one_of(st.just("x"), st.just('x{g="a"}'), ranges, subquery)
    return st.recursive(leaf, lambda inner: st.builds(_within, st.sampled_from(PLAIN), inner), max_leaves=3)


def _within(pattern: str, inner: str) -> str:
    return pattern.replace("{}", f"({inner})")


Cell = float | NativeHistogram


def cells(answer: Answer, step: int) -> dict[Labels, Cell]:
    """What an answer says at a step."""
    column: Floats = np.ascontiguousarray(answer.values[:, step])
    found: dict[Labels, Cell] = {
        answer.labels[row]: float(column[row]) for row in np.flatnonzero(~is_absent(column)).tolist()
    }
    return found | {answer.labels[row]: held for (row, at), held in answer.histograms.items() if at == step}


def alike(one: Cell, other: Cell) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        if not (isinstance(one, float) and isinstance(other, float)):
            return False
        return bool(np.isclose(one, other, equal_nan=True, rtol=1e-9))
    same = (one.schema, one.zero_threshold, one.bounds, one.hint) == (
        other.schema,
        other.zero_threshold,
        other.bounds,
        other.hint,
    )
    keys = [[key for key, _ in side] for side in (one.positive, one.negative)]
    other_keys = [[key for key, _ in side] for side in (other.positive, other.negative)]
    return same and keys == other_keys and bool(np.isclose(one.count, other.count, equal_nan=True))


def asked(data: list[list[Sample]]) -> PromEngine:
    return engine(frame_of({**dict(zip(SERIES, data, strict=True)), series_of("up"): [1.0] * ROWS}))


@settings(max_examples=150, deadline=None)
@given(DATA, expressions())
def test_a_range_is_its_instants(data: list[list[Sample]], expr: str) -> None:
    promql = asked(data)
    try:
        whole = promql.range(expr, 0, (ROWS - 1) * 1000, 1000)
    except QueryError:
        return  # series that meet at one step only fail as a range
    for step in range(ROWS):
        alone = cells(promql.instant(expr, step * 1000), 0)
        held = cells(whole, step)
        assert held.keys() == alone.keys(), expr
        assert all(alike(held[labels], alone[labels]) for labels in held), expr


@given(DATA, expressions())
def test_a_cell_is_of_one_kind(data: list[list[Sample]], expr: str) -> None:
    try:
        found = asked(data).range(expr, 0, (ROWS - 1) * 1000, 1000)
    except QueryError:
        return
    absent = is_absent(found.values)
    assert all(absent[row, step] for row, step in found.histograms)
    assert len(set(found.labels)) == len(found.labels)
    assert not any(name == "__hist__" for labels in found.labels for name, _ in labels)
