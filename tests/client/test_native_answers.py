"""Answers with native histograms, in this process and over HTTP."""

from __future__ import annotations

import numpy as np

from sanso.client.http import HttpClient
from sanso.model.frame import Columns, Row
from sanso.model.labels import series_of
from sanso.model.native_histogram import NativeHistogram, component, parts
from tests.web.hosted import START, hosted

ONE = NativeHistogram(3, 8.0, 20.5, 1.0, 0.001, ((-2, 1.0), (0, 2.0), (9, 3.0)), ((4, 1.0),))
X = series_of("x", route="/pay")


def test_both_clients_answer_alike() -> None:
    with hosted() as (watching, url):
        cells = {component(X, part): value for part, value in parts(ONE).items()}
        at = START + 31_000
        watching.store.append("natives", at, Row(Columns(tuple(cells)), np.array(list(cells.values()))))
        over = HttpClient(url)
        try:
            for client in (watching.client, over):
                found = client.query("x", at)
                assert found.labels == [X]
                assert found.histograms == {(0, 0): ONE}
                assert found.samples() == []
                ranged = client.query_range("x or up", at - 2000, at, 1000)
                step = ranged.times.tolist().index(at)
                assert ranged.histograms == {(ranged.labels.index(X), step): ONE}
            low, high = (over.query("histogram_quantile(0.5, x)", at, edge=edge).first() for edge in ("lower", "upper"))
            assert low is not None
            assert high is not None
            assert low < high
        finally:
            over.close()
