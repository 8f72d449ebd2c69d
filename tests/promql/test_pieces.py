"""What looks at every sample of every window: as one window after the other gives it, and never past its time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.clock import FixedClock
from sanso.model.control import QueryControl
from sanso.model.errors import QueryError
from sanso.model.frame import Frame
from sanso.model.labels import series_of
from sanso.promql.engine import PromEngine
from tests.promql.memory import MemoryReader

PLAIN = ("stddev_over_time", "stdvar_over_time", "mad_over_time", "deriv", "ts_of_min_over_time", "ts_of_max_over_time")
SAMPLES = st.lists(st.floats(-100, 100) | st.sampled_from([np.nan, np.inf, 1.0]), min_size=1, max_size=30)


def engine(values: list[float]) -> PromEngine:
    timeline = np.arange(len(values), dtype=np.int64) * 1000 + 1000
    cells = np.array([values, values[::-1]], dtype=np.float64)
    return PromEngine(MemoryReader([Frame([series_of("a", n="1"), series_of("a", n="2")], timeline, cells)]))


@given(SAMPLES)
def test_windows_together_are_as_one_by_one(values: list[float]) -> None:
    asked = engine(values)
    for name in (*(f"{each}(a" for each in PLAIN), "quantile_over_time(0.3, a"):
        together = asked.range(f"{name}[5s])", 1000, 40_000, 1000)
        for step, at_ms in enumerate(together.times.tolist()):
            alone = dict(asked.instant(f"{name}[5s])", at_ms).samples())
            found = {
                labels: value
                for labels, value in zip(together.labels, together.values[:, step].tolist(), strict=True)
                if labels in alone
            }
            np.testing.assert_allclose([found[labels] for labels in alone], list(alone.values()), rtol=1e-9, atol=1e-9)


class _Passing(FixedClock):
    """A clock on which a second passes whenever it is asked."""

    def monotonic(self) -> float:
        self.advance(1)
        return super().monotonic()


@pytest.mark.parametrize(
    "name", ["stddev_over_time", "stdvar_over_time", "mad_over_time", "deriv", "ts_of_max_over_time"]
)
def test_long_windows_end_in_time(name: str) -> None:
    asked = engine([1.0, 2.0, 4.0] * 200)
    control = QueryControl(_Passing(0), timeout_s=16)
    with pytest.raises(QueryError, match="query timed out"):
        asked.range(f"{name}(a[10m:1s])", 600_000, 1_200_000, 100, control)
