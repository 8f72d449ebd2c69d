"""Texts as trees: spellings, places, messages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.errors import QueryError
from sanso.model.labels import NAME
from sanso.model.matchers import Matcher
from sanso.promql.engine import PromEngine
from sanso.promql.lexical import is_text, quoted, rewritten
from sanso.promql.messages import position
from sanso.promql.parse import parsed
from sanso.promql.tree import (
    Aggregate,
    Binary,
    Function,
    Negative,
    Node,
    Number,
    Paren,
    Range,
    Selector,
    String,
    Subquery,
    When,
)
from tests.promql.memory import MemoryReader


def nodes(node: Node) -> list[Node]:
    """A node and all under it, as they stand in the text."""
    under: tuple[Node, ...] = ()
    if isinstance(node, Paren | Negative | Subquery):
        under = (node.expr,)
    elif isinstance(node, Range):
        under = (node.selector,)
    elif isinstance(node, Function):
        under = node.args
    elif isinstance(node, Aggregate):
        under = (node.expr,) if node.param is None else (node.param, node.expr)
    elif isinstance(node, Binary):
        under = (node.left, node.right)
    return [node, *(inner for part in under for inner in nodes(part))]


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("foo", ["foo"]),
        ('rate(foo{a="by (x)"}[5m] offset 1h @ 3)', ["rate", "foo", "foo"]),
        ("sum by (a, b) (x) / on(c) group_left(d) (y - -z)", ["sum", "sum", "x", "(y", "y", "y", "-z", "z"]),
        ("topk(2, x) by (y) > bool 3", ["topk", "topk", "2", "x", "3"]),
        ("a * on() group_left b", ["a", "a", "b"]),
        ('{__name__="a"} # {b}\n or "c"', []),
        ("max_over_time((a > 1)[5m:1m] @ end())", ["max", "(a", "(a", "a", "a", "1"]),
        ("-1 ^ - 2", ["-1", "1", "1", "- 2"]),
        ("x @ start() + time() - Inf", ["x", "x", "x", "time", "Inf"]),
        ("sum(rate((x[5m])))by(le)", ["sum", "rate", "(x", "x", "x"]),
        ("x + fill(3) y", ["x", "x", "y"]),
        ('{"a b", c="1"} offset 1m + {d="2"}', ['{"a', '{"a', "{d"]),
        ("a and ignoring(b) c unless d", ["a", "a", "a", "c", "d"]),
        ('count_values without (a) ("b", offset offset 5m)', ["count", '"b"', "offset offset"]),
    ],
)
def test_parts_know_where_they_begin(text: str, starts: list[str]) -> None:
    try:
        tree = parsed(text).tree
    except QueryError:
        assert not starts
        return
    found = [text[node.place :] for node in nodes(tree)]
    assert len(found) == len(starts)
    assert all(rest.startswith(start) for rest, start in zip(found, starts, strict=True)), found


def test_positions_are_lines_and_columns_in_bytes() -> None:
    assert position("é + x", 4) == "1:6"
    assert position("a +\n  b", 6) == "2:3"
    assert position("a", -1) == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31), ("1_000.5", 1000.5), ("1h30m", 5400), ("0xdead_beef", 0xDEADBEEF), ("1e3", 1000), (".5", 0.5),
        ("0x_1", 1), ("1e1_0", 1e10), ("1_0.5_0e+1", 105), ("01_0", 8),
    ],
)  # fmt: skip
def test_numbers(text: str, value: float) -> None:
    tree = parsed(text).tree
    assert isinstance(tree, Number)
    assert tree.value == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((text, f'1:1: parse error: bad number or duration syntax: "{shown}"') for text, shown in [
            ("2_", "2_"), ("2__", "2__"), ("1__0", "1__"), ("1_.5", "1_."), ("1._5", "1._"), ("5._", "5._"),
            ("1.5_", "1.5_"), ("1__e1", "1__"), ("1e1__0", "1e1__"), ("0x1_", "0x1_"), ("0x1__0", "0x1__"),
            ("1m1_0s", "1m1"), ("2_a", "2_"),
        ]),
        *((text, f'{place}: parse error: error parsing number: strconv.ParseFloat: parsing "{shown}": invalid syntax')
          for text, place, shown in [
            ("2_ + 1", "1:1", "2_"), ("m[2_]", "1:3", "2_"), ("m[5m:2_]", "1:6", "2_"), ("0x_", "1:1", "0x_"),
            ("0x", "1:1", "0x"),
        ]),
        ("1_0m", '1:1: parse error: unknown unit "_" in duration "1_0m"'),
        ("m[-1m]", "1:3: parse error: duration must be greater than 0"),
        ("m[5m:- 1m]", "1:6: parse error: duration must be greater than 0"),
        ("m[5m:---.5]", "1:6: parse error: duration must be greater than 0"),
        ("m[5m:0]", "1:6: parse error: duration must be greater than 0"),
    ],
)  # fmt: skip
def test_numbers_that_prometheus_does_not_read(text: str, said: str) -> None:
    with pytest.raises(QueryError, match=re.escape(f'invalid parameter "query": {said}') + "$"):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "range_ms", "step_ms"),
    [("m[.5:]", 500, 0), ("m[+.5:.25]", 500, 250), ("m[--1m:+1_0]", 60_000, 10_000), ("m[1m : .5]", 60_000, 500)],
)
def test_ranges_and_steps(text: str, range_ms: int, step_ms: int) -> None:
    tree = parsed(text).tree
    assert isinstance(tree, Subquery)
    assert (tree.range_ms, tree.step_ms) == (range_ms, step_ms)


@pytest.mark.parametrize(
    "pattern",
    [r"\Qa.b\E\n", r"\pN+", "a{", "(?U)a+", "{a}", r"\p{Greek}*", "[[:word:]]|", r"\z\Q\E", 'é"', r"\Q\E|x", "a{1000}"],
)
def test_patterns_are_as_they_were_asked_for(pattern: str) -> None:
    tree = parsed(f"x{{a=~{quoted(pattern)}, b!=''}}").tree
    assert isinstance(tree, Selector)
    assert tree.choices == ((Matcher(NAME, "=", "x"), Matcher("a", "=~", pattern), Matcher("b", "!=", "")),)


@pytest.mark.parametrize(("pattern", "is_read"), [(r"\Qa\E", True), (r"\Q\E", False), (r"\Q\E|x", False), (".+", True)])
def test_a_selector_needs_a_matcher_that_wants_something(pattern: str, is_read: bool) -> None:
    text = f"{{a=~{quoted(pattern)}}}"
    if is_read:
        assert isinstance(parsed(text).tree, Selector)
    else:
        with pytest.raises(QueryError, match="at least one non-empty matcher"):
            parsed(text)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("x @ -5.5", When(-5500)),
        ("x @ -5m", When(-300_000)),
        ("x @ 1_00 offset -1m", When(100_000, -60_000)),
        ("x offset 0s", When()),
        ("x offset --0", When()),
        ("x offset --1m", When(None, 60_000)),
        ("x offset +-+ 1m", When(None, -60_000)),
        ("x offset ---.5 @ end()", When("end", -500)),
        ("x offset 0 @ end()", When("end")),
        ("x @ start() offset 1h", When("start", 3_600_000)),
    ],
)
def test_times(text: str, when: When) -> None:
    tree = parsed(text).tree
    assert isinstance(tree, Selector)
    assert tree.when == when


@pytest.mark.parametrize(
    ("text", "shown", "good"),
    [
        (r'"a\xc3\xa9z"', '"aéz"', True),
        (r'"a\xc5z"', r'"a\xc5z"', False),
        (r'"\377"', r'"\xff"', False),
        (r'"a\x41\""', r'"aA\""', True),
        (r"`a\xc5`", r'"a\\xc5"', True),
    ],
)
def test_bytes_in_strings(text: str, shown: str, good: bool) -> None:
    tree = parsed(text).tree
    assert isinstance(tree, String)
    assert (quoted(tree.text), is_text(tree.text)) == (shown, good)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo(x)", '1:1: parse error: unknown function with name "foo"'),
        ("1 + bar(x)", '1:5: parse error: unknown function with name "bar"'),
        ("rate(x)", '1:6: parse error: expected type range vector in call to function "rate", got instant vector'),
        ('round(x, "a")', '1:10: parse error: expected type scalar in call to function "round", got string'),
        ("sum(x[5m])", "1:5: parse error: expected type instant vector in aggregation expression, got range vector"),
        ("topk(x, 1)", "1:9: parse error: expected type instant vector in aggregation expression, got scalar"),
        ("count_values(1, x)", "1:14: parse error: expected type string in aggregation parameter, got scalar"),
        ("topk(x)", "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"),
        ("abs()", '1:1: parse error: expected 1 argument(s) in call to "abs", got 0'),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("1 > 2", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        ("a and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'),
        ("x[5m] offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"),
        ("x + on (a) group_left (a) y", '1:3: parse error: label "a" must not occur in ON and GROUP clause at once'),
        ('x + "a"', "1:5: parse error: binary expression must contain only scalar and instant vector types"),
        ("(x)[5m]", "1:4: parse error: ranges only allowed for vector selectors"),
        ("x{a", "1:4: parse error: unexpected end of input inside braces"),
        ("(", "1:2: parse error: unclosed left parenthesis"),
        (")", "1:2: parse error: unexpected right parenthesis ')'"),
        (
            '-"a"',
            "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, "
            'got "string"',
        ),
        *(
            (
                text,
                f"{place}: parse error: unary expression only allowed on expressions of type scalar or instant vector, "
                f'got "{got}"',
            )
            for text, place, got in [
                ("+'a'", "1:1", "string"),
                ("+('a')", "1:1", "string"),
                ("-x[5m]", "1:1", "range vector"),
                ("+ +x[5m]", "1:3", "range vector"),
                ("+x[5m:1m]", "1:1", "range vector"),
                ("y * rate(+x[5m])", "1:10", "range vector"),
                ("label_replace(x, +'a', 'b', 'c', 'd')", "1:18", "string"),
            ]
        ),
        (
            "sum(x) offset 5m",
            "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector "
            "selector or a subquery",
        ),
        ("", "1:1: parse error: no expression found in input"),
        ("up and", "1:7: parse error: unexpected end of input"),
        ("x atan2 ", "1:9: parse error: unexpected end of input"),
        ("x +\n  ", "2:3: parse error: unexpected end of input"),
        ("x + # c", "1:8: parse error: unexpected end of input"),
        ("up == bool", "1:11: parse error: unexpected end of input"),
        ("x + on(a)", "1:10: parse error: unexpected end of input"),
        ('0x10 * x{a=~"\\\\Qa"} / ', "1:23: parse error: unexpected end of input"),
        ('x{a=~"\\\\Qa"} y', " parse error: invalid promql query"),
        ("-", "1:2: parse error: unexpected end of input"),
        ("sum(", "1:5: parse error: unclosed left parenthesis"),
        ("sum by", '1:7: parse error: unexpected end of input in grouping opts, expected "("'),
        ("sum(x) by", '1:10: parse error: unexpected end of input in grouping opts, expected "("'),
        ("x and on", '1:9: parse error: unexpected end of input in grouping opts, expected "("'),
        ("sum by (a)", "1:11: parse error: unexpected end of input in aggregation"),
        ("topk by (a) ", "1:13: parse error: unexpected end of input in aggregation"),
        ("x[5m:", "1:6: parse error: unclosed left bracket"),
        ("x offset", "1:9: parse error: unexpected end of input in offset, expected duration"),
        ("x @", "1:4: parse error: unexpected end of input in @, expected timestamp"),
        ('x + "a', "1:5: parse error: unterminated quoted string"),
        ("`a", "1:1: parse error: unterminated raw string"),
        ('x{a="\\p"}', "1:5: parse error: unknown escape sequence U+0070 'p'"),
        ("x ? y", "1:3: parse error: unexpected character: '?'"),
        (
            "1 + 1e1000",
            '1:5: parse error: error parsing number: strconv.ParseFloat: parsing "1e1000": value out of range',
        ),
        (
            "0xfffffffffffffffff",
            '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "0xfffffffffffffffff": invalid syntax',
        ),
        ("x[1h:9999999999y]", "1:6: parse error: duration out of range"),
        ("x[0x7fffffffffffffff]", "1:3: parse error: duration out of range"),
        ("x[0s]", "1:3: parse error: duration must be greater than 0"),
        ("x offset -99999999999y", "1:11: parse error: duration out of range"),
        ("x offset 1e30", "1:10: parse error: duration out of range"),
        ('x + x{a=~"("}', "1:7: parse error: error parsing regexp: missing closing ): `(`"),
        ('x{a="",b!~"a++"}', "1:8: parse error: error parsing regexp: invalid nested repetition operator: `++`"),
        ('x{a=~"\\xff"}', "1:3: parse error: error parsing regexp: invalid UTF-8: `\\xff`"),
    ],
)
def test_messages_are_prometheus_s(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parsed(text)
    assert str(caught.value).startswith('invalid parameter "query": ')
    assert str(caught.value).endswith(message)
    assert caught.value.kind == "bad_data"


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    rewritten(text)
    kind = "read"
    try:
        parsed(text)
    except QueryError as error:
        kind = error.kind
    assert kind in ("read", "bad_data")


@pytest.mark.parametrize(
    "expr",
    [f"{'(' * n}1{')' * n}" for n in (1_000, 50_000)]
    + [f"{'-' * n}up" for n in (1_500, 50_000)]
    + [" + ".join(["up"] * n) for n in (900, 1_900, 50_000)]
    + ["abs(" * n + "up" + ")" * n for n in (1_000, 50_000)],
    ids=lambda expr: f"{expr[:4]}{len(expr)}",
)
def test_what_nests_too_deeply_is_refused_and_ends_nothing(expr: str) -> None:
    with pytest.raises(QueryError, match="nest too deeply"):
        PromEngine(MemoryReader([])).instant(expr, 0)


def test_a_time_beyond_all_calendars_is_refused() -> None:
    with pytest.raises(QueryError, match="out of bounds"):
        parsed("up @ 1e300")
