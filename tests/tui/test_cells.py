from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sanso.tui.cells import fitted, icon, left, right, scale, sparkline

values = st.lists(st.floats(allow_nan=True, allow_infinity=False, width=32), max_size=300)


@given(st.text(), st.integers(0, 40))
def test_left_fills_its_cells_exactly(text: str, width: int) -> None:
    assert cell_len(left(text, width)) == width


@given(st.text(alphabet="0123456789.%", max_size=12), st.integers(0, 12))
def test_right_never_cuts_a_figure(text: str, width: int) -> None:
    assert right(text, width).endswith(text)
    assert cell_len(right(text, width)) == max(width, cell_len(text))


def test_every_icon_of_the_organisation_takes_two_cells() -> None:
    assert {cell_len(icon(text)) for text in ["👑", "🔄", "📋", "🏗️", "📊", "🔒", "📈", "⚙️", "x"]} == {2}


@given(values, st.booleans())
def test_a_scale_holds_zero_and_every_value(numbers: list[float], percent: bool) -> None:
    low, top = scale(numbers, percent=percent, critical=None)
    assert low <= 0 <= top
    assert low < top
    assert all(low <= value <= top for value in numbers if math.isfinite(value))


@given(values, st.integers(0, 60))
def test_a_sparkline_is_as_wide_as_asked_and_gaps_are_blanks(numbers: list[float], width: int) -> None:
    drawn = sparkline(numbers, width, scale(numbers, percent=False, critical=None))
    assert len(drawn) == width
    shown = numbers[-width:] if width else []
    assert [cell == " " for cell in drawn[width - len(shown) :]] == [math.isnan(value) for value in shown]


@given(values, st.integers(1, 60))
def test_fitting_keeps_the_ends_of_what_there_is(numbers: list[float], points: int) -> None:
    shorter = fitted(numbers, points)
    assert len(shorter) == min(len(numbers), points)
    finite = [value for value in numbers if math.isfinite(value)]
    kept = [value for value in shorter if math.isfinite(value)]
    assert bool(finite) == bool(kept)
    slack = 1e-6 * max(map(abs, finite), default=0)
    assert all(min(finite) - slack <= value <= max(finite) + slack for value in kept)
