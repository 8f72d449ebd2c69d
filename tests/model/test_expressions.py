from __future__ import annotations

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.errors import QueryError
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
        (r"\p{Greek}+", "λόγος", "logos"),
        (r"a\z", "a", "a\n"),
        ("a$", "a", "a\n"),
        ("()|x", "", "y"),
        (r"[]a]", "]", "b"),
        (".", "😀", "ab"),
        ("é{2}", "éé", "é"),
        (r"\Q\C\E", r"\C", "a"),
        (r"\\C", r"\C", "C"),
        ("a|ab", "ab", "abb"),
        (r"10\.0\.0\.1:9100|b", "10.0.0.1:9100", "10x0.0.1:9100"),
        (r"a\|b|c", "a|b", "a"),
        ("a|", "", "b"),
        ("(a|b)", "b", "(b"),
        (".+", "\n", ""),
        (".*", "", None),
        (".+.+", "ab", "a"),
        ("x.+", "xy", "x"),
        (".+x", "yx", "x"),
        (".+x.+", "axb", "xb"),
        (".*x.+", "xb", "ax"),
        (".+xx.*", "xxx", "xxy"),
    ],
)
def test_what_matches(expression: str, good: str, bad: str | None) -> None:
    pattern = compiled(expression)
    assert pattern.matches(good)
    assert pattern.match(good)
    assert bad is None or not pattern.matches(bad)
    assert bad is None or pattern.match(bad) is None


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(.*", "missing closing ): `(.*`"),
        ("a)", "unexpected ): `a)`"),
        ("[a", "missing closing ]: `[a`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("a++", "invalid nested repetition operator: `++`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("\\", "trailing backslash at end of expression"),
        (r"a\C", r"invalid escape sequence: `\C`"),
        (r"\1", r"invalid escape sequence: `\1`"),
        (r"[b-a]", "invalid character class range: `b-a`"),
        (r"(?:\pL{1000}){1}x", "expression too large"),
    ],
)
def test_what_is_no_expression(expression: str, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        compiled(expression)
    assert str(caught.value).startswith(f"error parsing regexp: {said}")


pieces = st.sampled_from(["a", "b", ".", ".*", ".+", "|", "\\.", "(", ")", "(?:", "é", "\n", "-", "\\|", "x"])
texts = st.text(st.sampled_from("abé.|-\nx"), max_size=6)


@given(st.lists(pieces, max_size=7).map("".join), st.lists(texts, min_size=1, max_size=5))
def test_the_short_ways_answer_as_the_engine_does(expression: str, asked: list[str]) -> None:
    options = re2.Options()
    options.dot_nl, options.log_errors = True, False
    try:
        engine = re2.compile(f"(?:{expression})", options)
        re2.compile(expression, options)
    except re2.error:
        with pytest.raises(QueryError):
            compiled(expression)
        return
    pattern, groups = compiled(expression), re2.compile(expression, options)
    for text in asked:
        expected = engine.fullmatch(text) is not None
        assert pattern.matches(text) == expected
        held = pattern.match(text)
        assert (held is not None) == expected
        if held is not None:
            inside = groups.fullmatch(text)
            assert held.expand("$0<${1}>$2") == f"{text}<{inside[1] or '' if groups.groups else ''}>" + (
                (inside[2] or "") if groups.groups > 1 else ""
            )


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$1-${2}", "ab-c"),
        ("$0", "abc"),
        ("$1x", ""),
        ("${1}x", "abx"),
        ("$$1", "$1"),
        ("$it$7$", "c$"),
        ("${}${it", "${}${it"),
        ("$01", ""),
        ("$99999999999999999999", ""),
        ("$é", ""),
        (r"\1", r"\1"),
    ],
)
def test_templates_are_go_s(template: str, expected: str) -> None:
    found = compiled("(ab)(?P<it>c)(d)?").match("abc")
    assert found is not None
    assert found.expand(template) == expected


def test_time_does_not_grow_with_the_ways_to_match() -> None:
    texts = ["a" * 28 + str(number) for number in range(5_000)]
    pattern = compiled("(a+)+b")
    assert not any(map(pattern.matches, texts))
    assert pattern.matches("a" * 5_000 + "b")


def test_a_long_choice_of_words() -> None:
    words = [f"10.0.{number // 256}.{number % 256}:9100" for number in range(20_000)]
    pattern = compiled("|".join(map(re.escape, words)))
    assert all(map(pattern.matches, words))
    assert not pattern.matches("10x0.0.1:9100")
