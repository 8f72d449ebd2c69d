"""The same samples in each format, with names that only one of them can hold."""

from __future__ import annotations

import pytest
from hypothesis import given

from sanso.exposition.formats import OPENMETRICS, TEXT, UTF8_TEXT, PageFormat
from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.page import Sample
from sanso.exposition.parse import TextParser
from sanso.exposition.render_page import render_page
from sanso.model.frame import Family
from sanso.model.labels import NAME, Labels, series_of
from tests.exposition import pages
from tests.exposition.test_parse import FAMILIES, SAMPLES

SERIES: list[Sample] = [
    (series_of("a.b", **{"c d": "é", "9": "x"}), 1.5, 1500),
    (series_of("a_b", c_d="é", _9="x"), 2.0, None),
    (series_of("9é"), 3.0, None),
]
KNOWN = {"a.b": Family("a.b", "gauge", 'Of "a"\\\n.')}


@pytest.mark.parametrize(
    ("wanted", "page"),
    [
        (
            TEXT,
            '_9_ 3\n# HELP a_b Of "a"\\\\\\n.\n# TYPE a_b gauge\na_b{_9="x",c_d="é"} 1.5 1500\n',
        ),
        (
            UTF8_TEXT,
            '{"9é"} 3\n# HELP "a.b" Of "a"\\\\\\n.\n# TYPE "a.b" gauge\n'
            '{"a.b","9"="x","c d"="é"} 1.5 1500\na_b{_9="x",c_d="é"} 2\n',
        ),
        (
            OPENMETRICS,
            "# TYPE _9_ unknown\n_9_ 3\n"
            '# TYPE a_b gauge\n# HELP a_b Of \\"a\\"\\\\\\n.\na_b{_9="x",c_d="é"} 1.5 1.500\n# EOF\n',
        ),
    ],
    ids=lambda value: value.content_type if isinstance(value, PageFormat) else "",
)
def test_names_beyond_the_classic_ones(wanted: PageFormat, page: str) -> None:
    assert render_page(SERIES, KNOWN, wanted) == page


@given(SAMPLES, FAMILIES)
def test_every_page_is_read_by_its_parser(samples: list[Sample], families: list[Family]) -> None:
    known = {family.name: family for family in families}
    text, quoted, strict = (render_page(samples, known, wanted) for wanted in (TEXT, UTF8_TEXT, OPENMETRICS))
    assert pages.told(TextParser().parse(quoted.encode())) == pages.meant(samples)
    classic = pages.told(TextParser().parse(text.encode()))
    assert pages.told(OpenMetricsParser().parse(strict.encode())) == classic
    assert all(
        name.isascii() and name.replace(":", "_").isidentifier() for labels in classic for name in names_of(labels)
    )


def names_of(labels: Labels) -> list[str]:
    return [value if name == NAME else name for name, value in labels]
