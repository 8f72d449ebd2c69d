"""Questions over coarse samples: the part that each function needs, exact answers, and what is said of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from sanso.model.frame import Family, Floats, Frame, Part, is_absent
from sanso.model.labels import Labels, series_of
from sanso.model.matchers import Matcher
from sanso.model.series import Answer
from sanso.promql.engine import PromEngine
from tests.promql.memory import MemoryReader

COARSE_MS = 10_000
RAW: Floats = np.array([[3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, 8.0], np.arange(12.0) * 10])
RAW_TIMES = np.arange(1, 13) * 2_500
LABELS = [series_of("x_total", n="1"), series_of("x_total", n="2")]
EXACT = ("sum", "count", "avg", "min", "max", "last", "present", "ts_of_last")
INEXACT = ("stddev", "stdvar", "mad", "first", "ts_of_min", "ts_of_max", "ts_of_first")


class CoarseReader:
    """Keeps ten seconds of raw samples as one, in every part, and remembers what it was asked for."""

    def __init__(self) -> None:
        spans = RAW.reshape(2, 3, 4)
        self.asked: list[tuple[Part, int]] = []
        self._parts: dict[Part, Floats] = {
            "last": spans[:, :, -1], "min": spans.min(axis=2), "max": spans.max(axis=2), "sum": spans.sum(axis=2),
            "count": np.full((2, 3), 4.0),
        }  # fmt: skip

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, part: Part = "last", step_ms: int = 0
    ) -> list[Frame]:
        self.asked.append((part, step_ms))
        times = np.arange(1, 4) * COARSE_MS
        inside = (times >= start_ms) & (times <= end_ms)
        return [Frame(LABELS, times[inside], np.ascontiguousarray(self._parts[part][:, inside]), COARSE_MS)]

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        return LABELS

    def families(self) -> Mapping[str, Family]:
        return {}


def answers(expr: str) -> tuple[Answer, Answer]:
    """From coarse samples and from raw ones, at a time where ranges begin and end with coarse spans."""
    raw = PromEngine(MemoryReader([Frame(LABELS, RAW_TIMES, RAW)]))
    return PromEngine(CoarseReader()).instant(expr, 30_000), raw.instant(expr, 30_000)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("window", ["10s", "20s", "30s"])
def test_what_can_be_exact_is(name: str, window: str) -> None:
    coarse, raw = answers(f"{name}_over_time(x_total[{window}])")
    np.testing.assert_array_equal(coarse.values, raw.values)
    assert coarse.infos == ()


def test_rates_are_from_the_last_samples() -> None:
    coarse, _ = answers("rate(x_total[30s])")
    last = PromEngine(MemoryReader([Frame(LABELS, np.arange(1, 4) * COARSE_MS, RAW[:, 3::4].copy())]))
    np.testing.assert_array_equal(coarse.values, last.instant("rate(x_total[30s])", 30_000).values)
    assert coarse.infos == ()


@pytest.mark.parametrize("name", INEXACT)
def test_what_cannot_be_exact_says_so(name: str) -> None:
    coarse, raw = answers(f"{name}_over_time(x_total[30s])")
    assert coarse.infos == (
        f"PromQL info: {name}_over_time was computed from samples of 10s resolution, for finer ones are no longer kept "
        f"(1:{len(name) + 12})",
    )
    assert not is_absent(coarse.values).any()
    assert raw.infos == ()


@pytest.mark.parametrize(
    "expr",
    ["quantile_over_time(0.5, x_total[30s])", "changes(x_total[30s])", "resets(x_total[30s])",
     "double_exponential_smoothing(x_total[30s], 0.5, 0.5)"],
)  # fmt: skip
def test_so_do_functions_with_other_names(expr: str) -> None:
    coarse, _ = answers(expr)
    assert "resolution" in "".join(coarse.infos)


def test_an_average_of_few_and_many_weighs_them() -> None:
    class Uneven(CoarseReader):
        def __init__(self) -> None:
            super().__init__()
            self._parts |= {"sum": np.array([[10.0, 3.0, 2.0]] * 2), "count": np.array([[1.0, 3.0, 1.0]] * 2)}

    assert PromEngine(Uneven()).instant("avg_over_time(x_total[30s])", 30_000).values.tolist() == [[3.0], [3.0]]


def test_readers_are_told_the_step_and_the_part() -> None:
    reader = CoarseReader()
    engine = PromEngine(reader)
    engine.range("x_total", 10_000, 30_000, 10_000)
    engine.range("max_over_time((x_total)[20s:5s])", 10_000, 30_000, 10_000)
    engine.range("rate(x_total[15s])", 10_000, 30_000, 10_000)
    engine.range("min_over_time(x_total[1h])", 10_000, 30_000, 10_000)
    assert reader.asked == [("last", 10_000), ("last", 5_000), ("last", 7_500), ("min", 10_000)]
