from __future__ import annotations

import pytest

from sanso.model.errors import QueryError
from sanso.model.matchers import Matcher
from sanso.promql.parse import parsed
from sanso.web.selectors import matchers_of, selectors_in


def test_a_selector_s_matchers() -> None:
    assert matchers_of('up{a!="b",c=~"d.*"}') == (
        Matcher("__name__", "=", "up"),
        Matcher("a", "!=", "b"),
        Matcher("c", "=~", "d.*"),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sum(up)", "not a series selector"),
        ("up offset 5m", "not a series selector"),
        ("up @ 5", "not a series selector"),
        ("up[5m]", "not a series selector"),
        ('{a="b" or c="d"}', "`or` between matchers"),
        ("up{", "^1:4: parse error: unexpected end of input inside braces$"),
        ("{}", "must contain at least one non-empty matcher"),
    ],
)
def test_what_is_no_selector(text: str, problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        matchers_of(text)


def test_the_selectors_of_an_expression() -> None:
    text = "sum(rate(a[5m])) / -b + quantile(scalar(c), d) and max_over_time(e[5m:1m])"
    found = [selector.choices[0][0].value for selector in selectors_in(parsed(text).tree)]
    assert sorted(found) == ["a", "b", "c", "d", "e"]
