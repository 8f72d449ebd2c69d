from __future__ import annotations

from sanso.model.labels import labels_of, metric_name, render, series_of, value_of, without


def test_labels_are_sorted_and_without_empty_values() -> None:
    assert labels_of({"b": "2", "a": "1", "c": ""}) == (("a", "1"), ("b", "2"))


def test_a_series_reads_as_in_promql() -> None:
    series = series_of("up", job="a", path='say "hi"\n')
    assert render(series) == 'up{job="a", path="say \\"hi\\"\\n"}'
    assert render(series_of("up")) == "up"
    assert render(()) == "{}"


def test_parts_of_a_series() -> None:
    series = series_of("up", job="a")
    assert metric_name(series) == "up"
    assert value_of(series, "job") == "a"
    assert value_of(series, "none") == ""
    assert without(series, ["job"]) == series_of("up")
