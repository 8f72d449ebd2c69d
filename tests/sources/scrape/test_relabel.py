from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.sources.scrape.relabel import RelabelRule, relabelled

A = {"a": "foo", "b": "bar", "c": "baz"}


def rule(**fields: Any) -> RelabelRule:
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return RelabelRule(**given)


@pytest.mark.parametrize(
    ("labels", "rules", "expected"),
    [
        pytest.param(
            A,
            [rule(source_labels=["a"], regex="f(.*)", target_label="d", separator=";", replacement="ch${1}-ch${1}")],
            {**A, "d": "choo-choo"},
            id="groups",
        ),
        pytest.param(
            A,
            [
                rule(source_labels=["a", "b"], regex="f(.*);(.*)r", target_label="a", replacement="b${1}${2}m"),
                rule(source_labels=["c", "a"], regex="(b).*b(.*)ba(.*)", target_label="d", replacement="$1$2$2$3"),
            ],
            {"a": "boobam", "b": "bar", "c": "baz", "d": "boooom"},
            id="two rules in order",
        ),
        pytest.param(A, [rule(source_labels=["a"], regex=".*o.*", action="drop")], None, id="drop"),
        pytest.param(A, [rule(source_labels=["a"], regex="o", action="drop")], A, id="anchored"),
        pytest.param(A, [rule(source_labels=["a"], regex="no-match", action="keep")], None, id="keep drops"),
        pytest.param(A, [rule(source_labels=["a"], regex="f.*", action="keep")], A, id="keep keeps"),
        pytest.param({}, [rule(source_labels=["x"], regex="", action="keep")], {}, id="an absent label is empty"),
        pytest.param(A, [rule(source_labels=["a"], regex="f", target_label="b", replacement="x")], A, id="no match"),
        pytest.param(
            A, [rule(source_labels=["a"], target_label="b", replacement="")], {"a": "foo", "c": "baz"},
            id="an empty replacement deletes",
        ),
        pytest.param(
            A, [rule(source_labels=["a"], regex="(f).*", target_label="${1}", replacement="x")], {**A, "f": "x"},
            id="the target is a template",
        ),
        pytest.param(
            A, [rule(source_labels=["a"], regex="(?P<it>f).*", target_label="z", replacement="$it$$1${9}$1x")],
            {**A, "z": "f$1"}, id="names, dollars, groups that are not there",
        ),
        pytest.param(
            {"a": "x", "b": "x", "c": "y"},
            [rule(source_labels=["a"], target_label="b", action="keepequal")],
            {"a": "x", "b": "x", "c": "y"},
            id="keepequal keeps",
        ),
        pytest.param(A, [rule(source_labels=["a"], target_label="b", action="keepequal")], None, id="keepequal drops"),
        pytest.param(
            {"a": "x", "b": "x"}, [rule(source_labels=["a"], target_label="b", action="dropequal")], None,
            id="dropequal",
        ),
        pytest.param(A, [rule(source_labels=["a"], target_label="b", action="dropequal")], A, id="dropequal keeps"),
        pytest.param(
            A, [rule(source_labels=["c"], target_label="d", modulus=1000, action="hashmod")], {**A, "d": "976"},
            id="hashmod, Prometheus's own figure",
        ),
        pytest.param(
            {"a": "foo\nbar"}, [rule(source_labels=["a"], target_label="d", modulus=1000, action="hashmod")],
            {"a": "foo\nbar", "d": "734"}, id="hashmod of two lines, Prometheus's own figure",
        ),
        pytest.param(
            {"a": "foo", "b1": "bar", "b2": "baz"}, [rule(regex="(b.*)", replacement="bar_${1}", action="labelmap")],
            {"a": "foo", "b1": "bar", "b2": "baz", "bar_b1": "bar", "bar_b2": "baz"}, id="labelmap",
        ),
        pytest.param(
            {"a": "foo"}, [rule(regex="(a)", replacement="x.${1}-y", action="labelmap")],
            {"a": "foo", "x.a-y": "foo"}, id="labelmap to any text",
        ),
        pytest.param(
            {"__meta_my_bar": "aaa", "__meta_other": "b"},
            [rule(regex="__meta_(my.*)", replacement="${1}", action="labelmap")],
            {"__meta_my_bar": "aaa", "__meta_other": "b", "my_bar": "aaa"}, id="labelmap of meta labels",
        ),
        pytest.param(
            {**A, "b1": "x"}, [rule(regex="(b.*)", action="labeldrop")], {"a": "foo", "c": "baz"}, id="labeldrop",
        ),
        pytest.param(
            {**A, "b1": "x"}, [rule(regex="(b.*)", action="labelkeep")], {"b": "bar", "b1": "x"}, id="labelkeep",
        ),
        pytest.param(
            {"foo": "bAr123Foo"},
            [
                rule(source_labels=["foo"], target_label="up", action="uppercase"),
                rule(source_labels=["foo"], target_label="low", action="lowercase"),
            ],
            {"foo": "bAr123Foo", "low": "bar123foo", "up": "BAR123FOO"},
            id="cases",
        ),
        pytest.param(
            {"a": "x\ny"}, [rule(source_labels=["a"], regex="x.y", target_label="b", replacement="1")],
            {"a": "x\ny", "b": "1"}, id="a dot matches a line's end, as in Prometheus 3",
        ),
        pytest.param(
            {"__tmp_port": "1234", "__port1": "1234"},
            [
                rule(source_labels=["__tmp_port"], target_label="__port1", action="keepequal"),
                rule(regex="__tmp.*", action="labeldrop"),
            ],
            {"__port1": "1234"}, id="temporary labels",
        ),
    ],
)  # fmt: skip
def test_as_prometheus_relabels(
    labels: dict[str, str], rules: list[RelabelRule], expected: dict[str, str] | None
) -> None:
    assert relabelled(labels, rules) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"action": "shout"}, "unknown relabel action"),
        ({"action": "replace"}, "requires 'target_label'"),
        ({"action": "hashmod", "target_label": "x"}, "non-zero modulus"),
        ({"action": "labelmap", "replacement": ""}, "invalid 'replacement'"),
        ({"action": "labeldrop", "source_labels": ["a"]}, "requires only 'regex'"),
        ({"action": "labelkeep", "replacement": "x"}, "requires only 'regex'"),
        ({"action": "dropequal", "target_label": "x", "regex": "y"}, "no other fields"),
        ({"target_label": "x", "regex": "("}, "error parsing regexp: missing closing "),
    ],
)
def test_a_wrong_rule_says_what_is_wrong(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected.replace("(", r"\(")):
        rule(**fields)


names = st.sampled_from(["a", "b", "job", "__address__", "__tmp_x", "zone"])
label_sets = st.dictionaries(names, st.text(min_size=1, max_size=6), max_size=5)


@given(label_sets)
def test_no_rules_change_nothing_and_the_input_is_never_changed(labels: dict[str, str]) -> None:
    before = dict(labels)
    assert relabelled(labels, []) == before
    relabelled(labels, [rule(source_labels=["a"], target_label="b"), rule(regex=".*", action="labeldrop")])
    assert labels == before


@given(label_sets, names)
def test_copying_a_label_and_dropping_the_old_one_renames_it(labels: dict[str, str], name: str) -> None:
    rules = [rule(source_labels=[name], target_label="new"), rule(regex=name, action="labeldrop")]
    expected = {("new" if key == name else key): value for key, value in labels.items()}
    assert relabelled(labels, rules) == expected


@given(label_sets, st.integers(1, 50))
def test_shards_share_targets_out_without_loss(labels: dict[str, str], shards: int) -> None:
    def kept_by(shard: int) -> bool:
        rules = [
            rule(source_labels=["a", "b"], target_label="__tmp_hash", modulus=shards, action="hashmod"),
            rule(source_labels=["__tmp_hash"], regex=str(shard), action="keep"),
        ]
        return relabelled(labels, rules) is not None

    value = f"{labels.get('a', '')};{labels.get('b', '')}"
    digest = hashlib.md5(value.encode("utf-8")).digest()
    assert [shard for shard in range(shards) if kept_by(shard)] == [int.from_bytes(digest[8:], "big") % shards]


@given(label_sets, st.sampled_from(["a", "job|zone", "__.*", ".*", "x"]))
def test_keep_and_drop_are_opposites_and_so_are_labelkeep_and_labeldrop(labels: dict[str, str], regex: str) -> None:
    kept = relabelled(labels, [rule(source_labels=["a"], regex=regex, action="keep")])
    dropped = relabelled(labels, [rule(source_labels=["a"], regex=regex, action="drop")])
    assert (kept is None) != (dropped is None)
    inside = relabelled(labels, [rule(regex=regex, action="labelkeep")]) or {}
    outside = relabelled(labels, [rule(regex=regex, action="labeldrop")]) or {}
    assert {**inside, **outside} == labels
    assert not inside.keys() & outside.keys()
