"""The sketch's laws."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.sdk import sketch as sketch_module
from sanso.sdk.sketch import SCALE, Sketch, bucket_of

finite_floats = st.floats(allow_nan=False, allow_infinity=False)
ordinary = st.floats(min_value=1e-9, max_value=1e9)


@pytest.fixture(params=["numpy", "standard library"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to fold."""
    if request.param == "standard library":
        monkeypatch.setattr(sketch_module, "_loaded_numpy", lambda: None)
    else:
        monkeypatch.setattr(sketch_module, "_WORTH_NUMPY", 1)
    return str(request.param)


def sketch_of(values: list[float]) -> Sketch:
    sketch = Sketch()
    assert sketch.add(values) == 0
    return sketch


def state(sketch: Sketch) -> tuple[object, ...]:
    return sketch.count, sketch.zero_count, sketch.minimum, sketch.maximum, sketch.positive, sketch.negative


@given(finite_floats.filter(lambda value: value > 0))
def test_a_value_lies_in_its_bucket(value: float) -> None:
    index, upper = bucket_of(value)
    assert value <= upper
    if math.isfinite(upper):
        next_index, next_upper = bucket_of(math.nextafter(upper, math.inf))
        assert next_upper > upper
        # Below the normal numbers there are fewer floats than buckets.
        assert next_index == index + 1 or (next_index > index and upper < sys.float_info.min)


@pytest.mark.parametrize("exponent", [-1074, -1022, -40, -1, 0, 1, 10, 53, 1023])
def test_powers_of_two_are_exact(exponent: int) -> None:
    value = math.ldexp(1.0, exponent)
    assert bucket_of(value) == ((exponent << SCALE) - 1, value)
    assert bucket_of(math.nextafter(value, math.inf))[0] == exponent << SCALE or exponent == -1074


@given(ordinary)
def test_the_middle_of_a_bucket_is_within_1_1_percent(value: float) -> None:
    index, upper = bucket_of(value)
    lower = 2.0 ** (index / 2**SCALE)
    assert abs(2 * upper * lower / (upper + lower) - value) / value <= 0.011


@given(ordinary)
def test_the_index_is_the_reference(value: float) -> None:
    reference = math.log2(value) * 2**SCALE
    if abs(reference - round(reference)) > 1e-6:
        assert bucket_of(value)[0] == math.ceil(reference) - 1


@settings(max_examples=60)
@given(values=st.lists(st.one_of(st.just(0.0), ordinary, ordinary.map(lambda value: -value)), max_size=200))
def test_it_counts_what_a_plain_loop_counts(values: list[float]) -> None:
    sketch = sketch_of(values)
    assert sketch.positive == Counter(bucket_of(value)[0] for value in values if value > 0)
    assert sketch.negative == Counter(bucket_of(-value)[0] for value in values if value < 0)
    assert sketch.zero_count == values.count(0.0)
    assert sketch.count == len(values)
    assert sketch.sum == pytest.approx(math.fsum(values), rel=1e-9, abs=1e-3)
    if values:
        assert (sketch.minimum, sketch.maximum) == (min(values), max(values))


@settings(max_examples=60)
@given(st.lists(st.lists(finite_floats, max_size=50), max_size=8), st.permutations(range(8)))
def test_pieces_and_order_do_not_matter(pieces: list[list[float]], order: list[int]) -> None:
    together = [value for piece in pieces for value in piece]
    whole = sketch_of(together)
    parts = Sketch()
    for place in order:
        parts.add(pieces[place] if place < len(pieces) else [])
    assert state(parts) == state(whole)


def test_both_engines_agree(engine: str) -> None:
    random = np.random.default_rng(3)
    values = [*random.lognormal(-4, 2, 20_000).tolist(), 0.0, -0.0, 1.0, 2.0, -3.5, 5e-324, sys.float_info.max]
    sketch = sketch_of(values)
    assert sketch.positive == Counter(bucket_of(value)[0] for value in values if value > 0)
    assert sketch.negative == {bucket_of(3.5)[0]: 1}
    assert sketch.zero_count == 2
    assert sketch.count == len(values)


def test_only_positive_values(engine: str) -> None:
    assert sketch_of([1.0, 1.5, 1.0]).positive == {-1: 2, bucket_of(1.5)[0]: 1}


def test_what_is_no_finite_number_is_refused_and_told(engine: str) -> None:
    sketch = Sketch()
    junk: list[object] = [math.nan, math.inf, -math.inf, "0.5", None, 10**400, 1j, [], 1.0, 2, True, np.float32(0.5)]
    assert sketch.add(junk) == 8
    assert (sketch.count, sketch.sum, sketch.minimum, sketch.maximum) == (4, 4.5, 0.5, 2.0)


def test_a_number_that_cannot_be_converted_is_refused() -> None:
    class Strange:
        def __float__(self) -> float:
            raise ValueError

    assert Sketch().add([Strange(), 1.0]) == 1


def test_quantiles_are_within_1_1_percent() -> None:
    values = np.random.default_rng(11).lognormal(-3, 1, 50_000)
    sketch = sketch_of(values.tolist())
    counts = sorted(sketch.positive.items())
    for quantile in (0.5, 0.95, 0.99, 0.999):
        rank, seen = quantile * (sketch.count - 1), 0
        for index, count in counts:
            seen += count
            if seen > rank:
                middle = 2.0 ** ((index + 0.5) / 2**SCALE)
                break
        truth = float(np.quantile(values, quantile, method="lower"))
        assert abs(middle - truth) / truth <= 0.0111


def test_numpy_is_used_only_where_the_application_has_it() -> None:
    code = (
        "import sys; from sanso.sdk.sketch import Sketch; s = Sketch(); s.add([0.5] * 10_000);"
        "assert s.positive == {-33: 10_000}, s.positive; assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
