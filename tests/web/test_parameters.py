from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.errors import QueryError
from sanso.web.parameters import Parameters


def of(**given: str) -> Parameters:
    return Parameters(list(given.items()))


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("0", 0),
        ("1790000000.5", 1_790_000_000_500),
        ("1.79e9", 1_790_000_000_000),
        ("-1.5", -1500),
        ("2026-09-21T14:13:50Z", 1_790_000_030_000),
        ("2026-09-21T14:13:50.123456789Z", 1_790_000_030_123),
        ("2026-09-21T16:13:50+02:00", 1_790_000_030_000),
        ("-292273086-05-16T16:47:06Z", -(1 << 62)),
        ("292277025-08-18T07:12:54.999999999Z", 1 << 62),
        ("1e300", 1 << 62),
        ("-1e308", -(1 << 62)),
    ],
)
def test_times(text: str, time_ms: int) -> None:
    assert of(time=text).time_ms("time") == time_ms


@pytest.mark.parametrize(
    "text", ["soon", "1_0", " 1", "nan", "inf", "2026-09-21", "2026-09-21T14:13:50", "2026-13-01T00:00:00Z"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(QueryError, match=r'invalid parameter "t": cannot parse ".*" to a valid timestamp'):
        of(t=text).time_ms("t")


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("15", 15_000),
        ("0.5", 500),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("1y2w3d4h5m6s7ms", 33_019_506_007),
        ("-1", -1000),
        ("0", 0),
    ],
)
def test_durations(text: str, milliseconds: int) -> None:
    assert of(step=text).duration_ms("step") == milliseconds


@pytest.mark.parametrize("text", ["", "5", "m5", "5m1h", "1.5h", "1h 5m", "1e30"])
def test_what_is_no_duration(text: str) -> None:
    if text == "5":
        assert of(step=text).duration_ms("step") == 5000
        return
    with pytest.raises(QueryError, match='invalid parameter "step"'):
        of(step=text).duration_ms("step")


def test_a_form_counts_before_the_query_string() -> None:
    given = Parameters.read(
        b"query=a&match[]=x", "application/x-www-form-urlencoded; charset=utf-8", b"query=b&match[]=y"
    )
    assert given.text("query") == "b"
    assert given.every("match[]") == ["y", "x"]
    assert Parameters.read(b"query=a", "application/json", b"query=b").text("query") == "a"


@pytest.mark.parametrize(("text", "limit"), [("", 0), ("0", 0), ("7", 7), ("+7", 7)])
def test_limits(text: str, limit: int) -> None:
    assert of(limit=text).limit() == limit


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x", 'strconv.Atoi: parsing "x": invalid syntax'),
        ("1.5", 'strconv.Atoi: parsing "1.5": invalid syntax'),
        ("9" * 20, f'strconv.Atoi: parsing "{"9" * 20}": value out of range'),
        ("-1", "limit must be non-negative"),
    ],
)
def test_what_is_no_limit(text: str, why: str) -> None:
    with pytest.raises(QueryError) as caught:
        of(limit=text).limit()
    assert str(caught.value) == f'invalid parameter "limit": {why}'


@pytest.mark.parametrize("text", ["Inf", "-inf", "NaN", "1e30"])
def test_a_duration_that_is_not_finite_overflows(text: str) -> None:
    with pytest.raises(QueryError, match="It overflows int64"):
        of(step=text).duration_ms("step")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        found = Parameters.read(text)
    except QueryError:
        return
    assert isinstance(found.text("a"), str)


@pytest.mark.parametrize(
    ("query", "kept", "problem"),
    [
        ("query=1&x=%zz", "1", 'invalid URL escape "%zz"'),
        ("%z=2&query=1", "1", 'invalid URL escape "%z"'),
        ("query=%4", "", 'invalid URL escape "%4"'),
        ("a=%1gq&b=%zz&query=1", "1", 'invalid URL escape "%1g"'),
        ("query=1;x=1", "", "invalid semicolon separator in query"),
        ("x=%zz&y;&query=1", "1", "invalid semicolon separator in query"),
        ("query=%31&&x=%C3%28", "1", ""),
        ("query=%3B", ";", ""),
    ],
)
def test_fields_that_cannot_be_read_are_left_out(query: str, kept: str, problem: str) -> None:
    form = "application/x-www-form-urlencoded"
    for found in (
        Parameters.read(query.encode()),
        Parameters.read(b"other=1", form, query.encode()),
        Parameters.read(query.encode(), form, b"other=1"),
    ):
        assert found.text("query") == kept
        if problem:
            with pytest.raises(QueryError, match=f"^error parsing form values: {problem}$"):
                found.strict()
        else:
            assert found.strict() is found
