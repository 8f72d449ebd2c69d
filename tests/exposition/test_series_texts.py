from __future__ import annotations

import pytest

from sanso.exposition.page import Limits
from sanso.exposition.parse import TextParser
from sanso.exposition.series_text import SeriesTexts
from sanso.model.errors import DecodeError


def test_parsers_that_share_it_share_labels_and_no_more() -> None:
    texts = SeriesTexts(Limits(), strict=False)
    first, second = TextParser(texts=texts), TextParser(texts=texts)
    one, other = first.parse(b'a{x="1"} 1\nb 2\n').row, second.parse(b'b 3\na{x="1"} 4\n').row
    assert one.columns.labels[0] is other.columns.labels[1]
    assert (one.values.tolist(), other.values.tolist()) == ([1, 2], [3, 4])


def test_it_is_bounded_and_remembers_no_error() -> None:
    texts = SeriesTexts(Limits(), strict=False, most=3)
    for number in range(10):
        assert dict(texts.labels(b'a{x="%d"} ' % number))["x"] == str(number)
    assert len(texts._known) <= 3
    for _ in range(2):
        with pytest.raises(DecodeError):
            texts.labels(b'a{x="1",x="2"} ')
