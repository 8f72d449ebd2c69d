from __future__ import annotations

from sanso.exposition.page import HistogramWish
from sanso.sources.scrape.formats import accept
from sanso.sources.scrape.settings import NATIVE_PROTOCOLS, OPENMETRICS, PROTOCOLS, TEXT, ScrapeJob


def test_the_best_format_is_asked_for_first() -> None:
    assert accept((OPENMETRICS, TEXT)) == (
        "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4"
    )
    for protocols in (PROTOCOLS, NATIVE_PROTOCOLS):
        weights = [float(wish.rpartition("q=")[2]) for wish in accept(protocols).split(",")]
        assert weights == sorted(weights, reverse=True)
        assert len(set(weights)) == len(protocols) + 1


def test_protobuf_is_asked_for_where_native_histograms_are_wanted() -> None:
    assert ScrapeJob("j").asked == PROTOCOLS
    native = ScrapeJob("j", histograms=HistogramWish())
    assert native.asked == NATIVE_PROTOCOLS
    assert accept(native.asked).startswith(
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
    )
    assert ScrapeJob("j", histograms=HistogramWish(), protocols=(TEXT,)).asked == (TEXT,), "as it is told"
