from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.exposition.formats import canonical_float
from sanso.exposition.number_labels import spelled
from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.page import Page
from sanso.exposition.parse import TextParser
from sanso.exposition.series_text import SeriesTexts
from sanso.model.errors import DecodeError
from sanso.model.labels import render, series_of, value_of

# What Go's strconv.FormatFloat(f, 'g', -1, 64) writes, and ".0" where that holds neither "." nor "e".
CANONICAL = {
    1.0: "1.0",
    0.0: "0.0",
    -1.0: "-1.0",
    0.5: "0.5",
    100.0: "100.0",
    0.0001: "0.0001",
    0.00001: "1e-05",
    0.000015: "1.5e-05",
    999999.0: "999999.0",
    1e6: "1e+06",
    1234567.0: "1.234567e+06",
    1e21: "1e+21",
    1.5e-300: "1.5e-300",
    5e-324: "5e-324",
    1.7976931348623157e308: "1.7976931348623157e+308",
    math.inf: "+Inf",
    -math.inf: "-Inf",
}
SPELLED = {
    "1": "1.0",
    "+1": "1.0",
    "01.50": "1.5",
    "5.": "5.0",
    ".5": "0.5",
    "1E3": "1000.0",
    "1e6": "1e+06",
    "1000000": "1e+06",
    "Inf": "+Inf",
    "infinity": "+Inf",
    "+Inf": "+Inf",
    "-inf": "-Inf",
    "nan": "NaN",
    "+nan": "+nan",
    "0x1p-2": "0.25",
    "0x1": "0x1",
    "1_0": "1_0",
    " 1": " 1",
    "1e999": "1e999",
    "x": "x",
    "٣": "٣",
}


@pytest.mark.parametrize("value", CANONICAL)
def test_numbers_as_open_metrics_writes_them(value: float) -> None:
    assert canonical_float(value) == CANONICAL[value]


@given(st.floats(allow_nan=False))
def test_a_canonical_number_is_read_back_and_stays(value: float) -> None:
    text = canonical_float(value)
    assert float(text) == value
    assert value_of(spelled(series_of("a", le=text), "le", strict=True), "le") == text


@pytest.mark.parametrize("text", SPELLED)
def test_label_values(text: str) -> None:
    labels = series_of("a_bucket", job=text, le=text)
    assert spelled(labels, "le", strict=False) == series_of("a_bucket", job=text, le=SPELLED[text])
    assert spelled(labels, "", strict=False) is labels
    assert spelled(labels, "quantile", strict=False) is labels


def series(page: Page) -> list[str]:
    return [render(labels) for labels in page.row.columns.labels]


PAGE = (
    'a_bucket{le="1"} 1\n'  # no type was given yet
    "# TYPE a histogram\n# HELP a quantile summary\n"
    'a_bucket{le="1",quantile="1"} 2\na_bucket{ "le" = "1e6" } 2\na_bucket{le="Inf"} 2\n'
    'other{le="2"} 3\n'  # as in Prometheus, the last type counts
    '# TYPE b summary\nb{quantile="1"} 1\nb{le="1",quantile="0.50"} 1\n'
    '# TYPE c gauge\nc{le="1",quantile="1"} 1\n'
)
TOLD = [
    'a_bucket{le="1"}',
    'a_bucket{le="1.0", quantile="1"}',
    'a_bucket{le="1e+06"}',
    'a_bucket{le="+Inf"}',
    'other{le="2.0"}',
    'b{quantile="1.0"}',
    'b{le="1", quantile="0.5"}',
    'c{le="1", quantile="1"}',
]


def test_bounds_and_quantiles_of_a_page_have_one_spelling() -> None:
    parser = TextParser()
    assert series(parser.parse(PAGE.encode())) == TOLD
    assert series(parser.parse(PAGE.replace(" 1\n", " 2\n").encode())) == TOLD
    assert series(parser.parse(f"new 1\n{PAGE}".encode())) == ["new", *TOLD]


def test_a_type_that_changes_changes_the_spelling() -> None:
    parser = TextParser(texts=SeriesTexts(TextParser()._limits, strict=False))
    for kind, told in (("gauge", "1"), ("histogram", "1.0"), ("summary", "1"), ("histogram", "1.0"), ("untyped", "1")):
        page = f'# TYPE a {kind}\na{{le="1"}} 1\n'.encode()
        assert series(parser.parse(page)) == [f'a{{le="{told}"}}'] == series(TextParser().parse(page))


OPENMETRICS = (
    "# TYPE a histogram\n"
    'a_bucket{le="1"} 1\na_bucket{le="2e6"} 1\na_bucket{le="+Inf"} 2\na_count 2\na_sum 3\n'
    '# HELP other no type\nother{le="1"} 1\n'
    '# TYPE b summary\nb{quantile="1"} 1\n# TYPE c gaugehistogram\nc_bucket{le="1"} 1\nc_bucket{le="+Inf"} 2\n# EOF\n'
)


def test_open_metrics_likewise() -> None:
    parser = OpenMetricsParser()
    told = [
        'a_bucket{le="1.0"}', 'a_bucket{le="2e+06"}', 'a_bucket{le="+Inf"}', "a_count", "a_sum", 'other{le="1.0"}',
        'b{quantile="1.0"}', 'c_bucket{le="1"}', 'c_bucket{le="+Inf"}',
    ]  # fmt: skip
    assert series(parser.parse(OPENMETRICS.encode())) == told
    assert (
        series(parser.parse(OPENMETRICS.replace('quantile="1"', 'quantile="0.1"').encode()))[6] == 'b{quantile="0.1"}'
    )
    first = parser.parse(OPENMETRICS.encode())
    assert parser.parse(OPENMETRICS.replace("a_sum 3", "a_sum 4").encode()).row.columns is first.row.columns


@pytest.mark.parametrize("bound", ["inf", "Inf", "NaN", "0x1p-2"])
def test_a_bound_that_the_standard_forbids_is_still_refused(bound: str) -> None:
    with pytest.raises(DecodeError, match="le"):
        OpenMetricsParser().parse(OPENMETRICS.replace("+Inf", bound, 1).encode())
