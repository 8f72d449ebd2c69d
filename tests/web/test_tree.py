from __future__ import annotations

from typing import Any

import pytest

from sanso.model.errors import QueryError
from sanso.web.tree import set_out, syntax, tree_json


def tree(text: str) -> Any:
    return tree_json(syntax(text))


UP = {
    "type": "vectorSelector", "name": "up", "offset": 0, "offsetExpr": None, "timestamp": None, "startOrEnd": None,
    "matchers": [{"name": "__name__", "value": "up", "type": "="}], "anchored": False, "smoothed": False,
}  # fmt: skip


def test_a_selector() -> None:
    assert tree("up") == UP
    found = tree('up{a!="b",c=~"d"} offset 5m @ 12.5')
    assert (found["offset"], found["timestamp"], found["startOrEnd"]) == (300_000, 12_500, None)
    assert found["matchers"] == [
        {"name": "a", "value": "b", "type": "!="},
        {"name": "c", "value": "d", "type": "=~"},
        {"name": "__name__", "value": "up", "type": "="},
    ]
    assert tree("up @ end() offset -1m")["startOrEnd"] == "end"
    assert tree("up @ end() offset -1m")["offset"] == -60_000


def test_ranges_and_subqueries() -> None:
    found = tree("rate(up[5m])")
    assert found["func"] == {"name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector"}
    assert found["args"] == [{**UP, "type": "matrixSelector", "range": 300_000, "rangeExpr": None}]
    subquery = tree("max_over_time(up[1h:5m] offset 1m)")["args"][0]
    assert (subquery["range"], subquery["step"], subquery["offset"], subquery["expr"]) == (
        3_600_000,
        300_000,
        60_000,
        UP,
    )


def test_aggregations() -> None:
    assert tree("sum(up)") == {
        "type": "aggregation", "op": "sum", "expr": UP, "param": None, "grouping": [], "without": False,
    }  # fmt: skip
    found = tree("topk without (a, b) (3, up)")
    assert (found["grouping"], found["without"], found["param"]) == (
        ["a", "b"],
        True,
        {"type": "numberLiteral", "val": "3"},
    )


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("up + up", {"card": "one-to-one", "labels": [], "on": False, "include": []}),
        ("up * on (a) group_left (b) up", {"card": "many-to-one", "labels": ["a"], "on": True, "include": ["b"]}),
        ("up and ignoring (a) up", {"card": "many-to-many", "labels": ["a"], "on": False, "include": []}),
    ],
)
def test_matching_of_vectors(text: str, matching: dict[str, Any]) -> None:
    assert tree(text)["matching"] == {**matching, "fillValues": {"lhs": None, "rhs": None}}


def test_scalars_match_nothing_and_comparisons_may_be_bool() -> None:
    found = tree("-(up) >= bool 1.5e30")
    assert (found["op"], found["bool"], found["matching"]) == (">=", True, None)
    assert found["lhs"] == {"type": "unaryExpr", "op": "-", "expr": {"type": "parenExpr", "expr": UP}}
    assert tree('label_replace(up, "a", "b", "c", "d")')["args"][1] == {"type": "stringLiteral", "val": "a"}
    assert tree("time() + 1")["matching"] is None


def test_spellings_that_the_parser_alone_does_not_know() -> None:
    assert tree("0x1F") == {"type": "numberLiteral", "val": "31"}
    assert tree("up @ -5")["timestamp"] == -5000
    with pytest.raises(QueryError, match=r'invalid parameter "query": .*parse error'):
        syntax("sum(")


def test_patterns_that_only_prometheus_reads_are_shown_as_asked() -> None:
    text = r'x{a=~"\\Qa\"\\E\n",b=~"\\d"}'
    assert set_out(text) == text
    assert [matcher["value"] for matcher in tree(text)["matchers"]] == ['\\Qa"\\E\n', "\\d", "x"]


@pytest.mark.parametrize(
    ("text", "laid"),
    [
        ("65m + x", "1h5m + x"),
        ("x > 90s", "x > 1m30s"),
        ("8d * 300", "8d * 300"),
        ("topk(5m, x offset 300s) - 0x10", "topk(5m, x offset 5m) - 16"),
        ("clamp(x, -Inf, Inf)", "clamp(x, -Inf, +Inf)"),
        ("x / group_left(a) y", "x / ignoring () group_left (a) y"),
        ("x / on() group_right y", "x / on () group_right () y"),
        ("x @ -1.5", "x @ -1.500"),
        ("+a*+ b", "+a * +b"),
        ("-+(+a)", "-+(+a)"),
        ("+1 + sum(+ a)", "1 + sum(+a)"),
        ("+1^2", "+1 ^ 2"),
        ("offset - -1", "offset - -1"),
        ("a[5m:.5] offset +-1m", "a[5m:500ms] offset -1m"),
        ('x{a="@ 200000000002 Inf"}', 'x{a="@ 200000000002 Inf"}'),
    ],
)
def test_expressions_are_set_out_as_prometheus_spells_them(text: str, laid: str) -> None:
    assert set_out(text.replace("/ group_left", "/ ignoring() group_left")) == laid


def test_a_large_number_is_written_without_an_exponent() -> None:
    assert tree("1e30")["val"] == "1" + "0" * 30
