from __future__ import annotations

from sanso.model.exemplars import Exemplar
from sanso.model.labels import labels_of, series_of
from sanso.model.matchers import Matcher
from sanso.store.exemplars import Exemplars

A, B = series_of("m", job="a"), series_of("m", job="b")
TRACE = labels_of({"trace_id": "1f"})


def of(job: str) -> list[Matcher]:
    return [Matcher("__name__", "=", "m"), Matcher("job", "=", job)]


def test_what_is_kept_is_found_by_series_and_time() -> None:
    held = Exemplars()
    for time_ms in (1000, 2000, 3000):
        assert held.add_exemplar(A, Exemplar(TRACE, time_ms / 10, time_ms)) == ""
    assert held.add_exemplar(B, Exemplar((), 1.0, 1500)) == ""
    assert held.exemplars([of("a")], 1000, 2999) == [(A, [Exemplar(TRACE, 100.0, 1000), Exemplar(TRACE, 200.0, 2000)])]
    assert [series for series, _ in held.exemplars([of("b"), of("a")], 0, 9999)] == [A, B]
    assert held.exemplars([of("b")], 0, 1499) == []
    assert held.exemplars([], 0, 9999) == []


def test_one_sent_again_is_taken_an_older_one_is_not() -> None:
    held = Exemplars()
    first, second = Exemplar(TRACE, 1.0, 1000), Exemplar(TRACE, 2.0, 2000)
    assert [held.add_exemplar(A, each) for each in (first, second, second, first)] == ["", "", "", ""]
    assert "older" in held.add_exemplar(A, Exemplar(TRACE, 1.5, 1500))
    assert held.exemplars([of("a")], 0, 9999) == [(A, [first, second])]


def test_labels_are_bounded_and_so_is_the_whole() -> None:
    held = Exemplars(most=3)
    assert "128 characters" in held.add_exemplar(A, Exemplar(labels_of({"a": "x" * 128}), 1.0, 1))
    for series, time_ms in ((B, 1), (A, 1), (A, 2), (A, 3)):
        held.add_exemplar(series, Exemplar((), 0.0, time_ms))
    assert held.exemplars([of("b")], 0, 9) == []
    assert len(held.exemplars([of("a")], 0, 9)[0][1]) == 3
