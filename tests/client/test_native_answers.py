"""Answers with native histograms, in this process and over HTTP."""

from __future__ import annotations

import numpy as np

from sanso.client.bounds import bounded
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
            expr = "histogram_quantile(0.5, x)"
            here, there = (bounded(client.ends(expr, at)) for client in (watching.client, over))
            assert here.answer.values.tolist() == there.answer.values.tolist()
            assert (here.low.tolist(), here.high.tolist()) == (there.low.tolist(), there.high.tolist())
            assert (there.low < there.answer.values).all()
            assert (there.answer.values < there.high).all()
            ranges = [bounded(client.ends_range(expr, at - 2000, at, 1000)) for client in (watching.client, over)]
            assert [found.low[:, -1:].tolist() for found in ranges] == [here.low.tolist()] * 2
            assert [found.high[:, -1:].tolist() for found in ranges] == [here.high.tolist()] * 2
        finally:
            over.close()
