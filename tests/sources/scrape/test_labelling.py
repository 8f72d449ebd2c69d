from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sanso.exposition.page import Page
from sanso.exposition.parse import TextParser
from sanso.exposition.render import render_text
from sanso.model.labels import labels_of
from sanso.sources.scrape.labelling import Labeller, LabelPairs
from sanso.sources.scrape.relabel import RelabelRule, relabelled
from sanso.sources.scrape.settings import ScrapeJob

names = st.sampled_from(["a", "job", "instance", "exported_job", "zone", "le"])
label_sets = st.dictionaries(names, st.text("xyz", min_size=1, max_size=2), max_size=4)
pages = st.lists(st.tuples(st.sampled_from(["m", "n", "go_x"]), label_sets), max_size=8)
RULES = (
    RelabelRule(source_labels=("__name__",), regex="go_.*", action="drop"),
    RelabelRule(source_labels=("zone",), regex="x+", target_label="zone", replacement="big"),
    RelabelRule(regex="le", action="labeldrop"),
)
TARGET = labels_of({"instance": "h:1", "job": "j", "zone": "t"})


def plainly(series: dict[str, str], *, honor: bool) -> dict[str, str] | None:
    """What Prometheus's documentation says, label by label."""
    if honor:
        return relabelled({**dict(TARGET), **series}, RULES)
    found = {name: value for name, value in series.items() if name not in dict(TARGET)}
    found.update(dict(TARGET))
    for name in sorted(series.keys() & dict(TARGET).keys(), key=len):
        other = f"exported_{name}"
        while other in found:
            other = f"exported_{other}"
        found[other] = series[name]
    return relabelled(found, RULES)


def parsed(parser: TextParser, series: list[tuple[str, dict[str, str]]]) -> tuple[Page, bytes]:
    body = render_text([(labels_of({"__name__": name, **labels}), 1.0, None) for name, labels in series], {}).encode()
    return parser.parse(body), body


@given(st.lists(pages, min_size=1, max_size=4), st.booleans())
def test_pages_in_a_row_are_placed_as_each_alone_would_be(
    history: list[list[tuple[str, dict[str, str]]]], honor: bool
) -> None:
    job = ScrapeJob("j", honor_labels=honor, metric_relabel=RULES)
    labeller, parser = Labeller(job, TARGET, (), LabelPairs()), TextParser()
    before: set[object] = set()
    columns = None
    for series in history:
        page, body = parsed(parser, series)
        placing = labeller.place(page, body)
        wanted = [plainly(dict(labels), honor=honor) for labels in page.row.columns.labels]
        first: dict[object, int] = {}
        for cell, labels in enumerate(wanted):
            if labels is not None:
                first.setdefault(labels_of(labels), cell)
        cells = list(range(len(wanted))) if placing.cells is None else placing.cells.tolist()
        assert dict(zip(placing.columns.labels, cells, strict=True)) == first
        assert placing.kept == sum(labels is not None for labels in wanted)
        assert placing.merged == placing.kept - len(first)
        assert placing.added == (0 if page.row.columns is columns else len(first.keys() - before))
        assert labeller.place(page, body).columns is placing.columns
        before, columns = set(first), page.row.columns


def test_label_pairs_are_shared_and_forgotten_when_there_are_too_many() -> None:
    pairs = LabelPairs()
    first, second = pairs.labels({"a": "x" * 9, "b": "1"}), pairs.labels({"a": "x" * 9, "b": "2"})
    assert first[0] is second[0]
    for number in range(200_010):
        pairs.labels({"n": str(number)})
    assert len(pairs._pairs) < 200_000
