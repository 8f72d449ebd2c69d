"""Prometheus's experimental syntax that the parser does not read: by name, with how often the public scripts use it.

The table is the statement of what is missing: it fails when the parser learns one of these, and when a script asks
something that cannot be read and is not in it.
"""

from __future__ import annotations

import pytest

from sanso.model.errors import QueryError
from sanso.promql.parse import parsed
from tests.promql.test_scripts import PUBLIC, questions, scripts

# Name: an example, and how many evals of the public scripts use it.
REFUSED = {
    "arithmetic in durations: ranges": ("rate(x[1h + 1m])", 0),
    "arithmetic in durations: offsets": ("x offset (1h + 1m)", 0),
    "arithmetic in durations: subquery steps": ("max_over_time(x[1h:2 * 1m])", 0),
    "arithmetic in durations: step()": ("rate(x[step()])", 0),
    "arithmetic in durations: range()": ("x offset range()", 0),
    "arithmetic in durations: max() and min()": ("rate(x[max(step(), 5s)])", 0),
    "anchored ranges": ("increase(x[5m] anchored)", 0),
    "smoothed ranges": ("increase(x[5m] smoothed)", 0),
    "smoothed selectors": ("x smoothed", 0),
    "info() with matchers that accept everything": ('info(x, {version=~".*"})', 0),
    "trimming native histograms from above": ("x </ 3", 0),
    "trimming native histograms from below": ("x >/ 3", 0),
}


def _is_refused(expr: str) -> bool:
    try:
        parsed(expr)
    except QueryError as error:
        return "parse error" in str(error)
    return False


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_said_so(name: str) -> None:
    example, _ = REFUSED[name]
    assert _is_refused(example), f"{example} is read now: take it out of the table and make it work"


def test_scripts_ask_nothing_else_that_cannot_be_read() -> None:
    if not PUBLIC.is_dir():
        pytest.skip("Prometheus's scripts are not beside this checkout (../shared/data/promqltest)")
    asked = [question for script in scripts() for question, _ in questions(script) if script.parent == PUBLIC]
    refused = [question.expr for question in asked if not question.wants("fail") and _is_refused(question.expr)]
    table = ", ".join(f"{name}: {count}" for name, (_, count) in REFUSED.items())
    assert len(refused) == sum(count for _, count in REFUSED.values()), f"{refused}\nthe table says {table}"
