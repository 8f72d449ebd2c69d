from __future__ import annotations

from sanso.sources.scrape.formats import accept
from sanso.sources.scrape.settings import OPENMETRICS, PROTOCOLS, TEXT


def test_the_best_format_is_asked_for_first() -> None:
    assert accept((OPENMETRICS, TEXT)) == (
        "application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
    )
    weights = [float(wish.rpartition("q=")[2]) for wish in accept(PROTOCOLS).split(",")]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == len(PROTOCOLS) + 1
