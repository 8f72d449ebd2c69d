from __future__ import annotations

import pytest

from sanso.model.errors import QueryError
from sanso.model.labels import series_of
from sanso.model.matchers import Matcher, MatchOp


@pytest.mark.parametrize(
    ("op", "value", "accepted"),
    [
        ("=", "api", True),
        ("=", "ap", False),
        ("!=", "api", False),
        ("!=", "", True),
        ("=~", "a.*", True),
        ("=~", "a", False),
        ("!~", "a", True),
        ("!~", "a.*", False),
    ],
)
def test_the_four_operators(op: MatchOp, value: str, accepted: bool) -> None:
    assert Matcher("job", op, value).accepts(series_of("up", job="api")) is accepted


def test_an_absent_label_is_the_empty_string() -> None:
    assert Matcher("zone", "=", "").accepts(series_of("up"))
    assert Matcher("zone", "=~", ".*").accepts(series_of("up"))
    assert not Matcher("zone", "!=", "").accepts(series_of("up"))


def test_a_bad_expression_is_a_query_error() -> None:
    with pytest.raises(QueryError, match="error parsing regexp"):
        Matcher("a", "=~", "(")
