"""RE2's syntax in Python's."""

from __future__ import annotations

import re

import pytest

from sanso.model.expressions import compiled


@pytest.mark.parametrize(
    ("expression", "good", "bad"),
    [
        ("(?i:PRO).*", "production", "reproduction"),
        ("((?i)PRO).*", "production", "staging"),
        ("(?i)a|b", "B", "c"),
        ("a(?i)b(c)d", "aBCD", "ABCD"),
        (".*((?i)TION)", "production", "producer"),
        ("a.b", "a\nb", "ab"),
        ("(?-s)a.b", "axb", "a\nb"),
        ("[[:alpha:]_]+", "ab_c", "ab1"),
        ("[^[:digit:]]", "x", "5"),
        (r"\d", "5", "٥"),
        (r"\W", "é", "e"),
        (r"[\d\]]+", "1]2", "[1"),
        (r"[a[b]+", "a[b", "c"),
        ("(?P<x>a)(?<y>b)", "ab", "a"),
        (r"\Qa.b\E+", "a.bb", "axb"),
        (r"\x{e9}", "é", "e"),
        (r"a\z", "a", "a\n"),
        ("()|x", "", "y"),
        (r"[]a]", "]", "b"),
    ],
)
def test_what_matches(expression: str, good: str, bad: str) -> None:
    pattern = compiled(expression)
    assert pattern.fullmatch(good)
    assert not pattern.fullmatch(bad)


@pytest.mark.parametrize("expression", ["(.*", "a)", "[a", "*", "(?P<x>a)(?P<x>b)"])
def test_what_is_no_expression(expression: str) -> None:
    with pytest.raises(re.error):
        compiled(expression)
