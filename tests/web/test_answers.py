from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.frame import ABSENT, is_absent
from sanso.model.labels import series_of
from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram
from sanso.model.series import Answer
from sanso.web.answers import answered, listed, success
from sanso.web.number_text import number

TIMES = np.array([1_000, 2_500, 4_001], dtype=np.int64)


def body(answer: Answer, **more: Any) -> Any:
    return json.loads(bytes(answered(answer, **more).body))


def matrix(values: list[list[float]], **more: Any) -> Answer:
    labels = [series_of("x", i=str(row)) for row in range(len(values))]
    return Answer("matrix", labels, TIMES, np.array(values).reshape(len(values), len(TIMES)), **more)


cells = st.one_of(st.floats(), st.just(ABSENT), st.integers(-5, 5).map(float))


@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=6))
def test_a_matrix_reads_back_cell_by_cell(values: list[list[float]]) -> None:
    answer = matrix(values)
    found = body(answer)["data"]["result"]
    gaps = is_absent(answer.values)
    for row, series in enumerate(found):
        assert series["metric"] == {"__name__": "x", "i": str(row)}
        expected = [[float(TIMES[step]) / 1000, number(values[row][step])] for step in range(3) if not gaps[row, step]]
        assert series.get("values", []) == expected


def test_an_answer_is_cut_at_the_limit_and_says_so() -> None:
    found = body(matrix([[1, 2, 3], [4, 5, 6]]), limit=1)
    assert len(found["data"]["result"]) == 1
    assert found["warnings"] == ["results truncated due to limit"]
    assert "warnings" not in body(matrix([[1, 2, 3], [4, 5, 6]]), limit=2)


def test_warnings_and_infos_beyond_ten_are_counted() -> None:
    found = body(matrix([], warnings=tuple("abcdefghijkl"), infos=tuple("abcdefghij")))
    assert found["warnings"] == [*"abcdefghij", "2 more warning annotations omitted"]
    assert found["infos"] == [*"abcdefghij"]


def test_native_histograms() -> None:
    histogram = NativeHistogram(
        0, 9.0, 12.5, zero_count=1.0, zero_threshold=0.25, positive=((0, 2.0), (2, 3.0)), negative=((-1, 1.0), (1, 2.0))
    )
    expected = {
        "count": "9",
        "sum": "12.5",
        "buckets": [
            [1, "-2", "-1", "2"],
            [1, "-0.5", "-0.25", "1"],
            [3, "-0.25", "0.25", "1"],
            [0, "0.5", "1", "2"],
            [0, "2", "4", "3"],
        ],
    }
    (series,) = body(matrix([[1, ABSENT, ABSENT]], histograms={(0, 2): histogram}))["data"]["result"]
    assert series["values"] == [[1, "1"]]
    assert series["histograms"] == [[4.001, expected]]
    vector = Answer(
        "vector", [series_of("h"), series_of("gone")], TIMES[:1], np.array([[ABSENT], [ABSENT]]),
        histograms={(0, 0): histogram},
    )  # fmt: skip
    assert body(vector)["data"]["result"] == [{"metric": {"__name__": "h"}, "histogram": [1, expected]}]


def test_custom_buckets_begin_at_minus_infinity() -> None:
    histogram = NativeHistogram(
        CUSTOM_SCHEMA, 3.0, 1.0, positive=((0, 1.0), (2, 2.0)), bounds=(0.5, 1.0)
    )  # fmt: skip
    vector = Answer("vector", [()], TIMES[:1], np.array([[ABSENT]]), histograms={(0, 0): histogram})
    assert body(vector)["data"]["result"][0]["histogram"][1]["buckets"] == [
        [3, "-Inf", "0.5", "1"],
        [0, "1", "+Inf", "2"],
    ]


def test_names_that_are_not_utf_8_do_not_break_an_answer() -> None:
    name = b"caf\xe9".decode(errors="surrogateescape")
    vector = Answer("vector", [series_of("x", path=name)], TIMES[:1], np.array([[1.0]]))
    assert body(vector)["data"]["result"][0]["metric"]["path"] == "caf?"
    assert json.loads(bytes(success({name: [name]}).body))["data"] == {"caf?": ["caf?"]}


def test_scalars_and_strings() -> None:
    scalar = Answer("scalar", [()], TIMES[:1], np.array([[math.inf]]))
    assert body(scalar)["data"] == {"resultType": "scalar", "result": [1, "+Inf"]}
    text = Answer("string", [], np.array([-1_500]), np.array([[ABSENT]]), text='a"\n')
    assert body(text)["data"]["result"] == [-1.5, 'a"\n']


def test_lists_are_cut_at_the_limit() -> None:
    assert json.loads(bytes(listed(["a", "b"], 0).body)) == {"status": "success", "data": ["a", "b"]}
    cut = json.loads(bytes(listed(["a", "b"], 1).body))
    assert (cut["data"], cut["warnings"]) == (["a"], ["results truncated due to limit"])


@given(st.lists(st.lists(st.integers(0, 10**6), min_size=3, max_size=3), min_size=1, max_size=6), st.integers(0, 7))
def test_a_matrix_of_counts_reads_back_up_to_the_limit(values: list[list[int]], limit: int) -> None:
    found = body(matrix([[float(value) for value in row] for row in values]), limit=limit)["data"]["result"]
    assert found == [
        {
            "metric": {"__name__": "x", "i": str(row)},
            "values": [[float(time) / 1000, str(value)] for time, value in zip(TIMES, cells, strict=True)],
        }
        for row, cells in enumerate(values[: limit or len(values)])
    ]
