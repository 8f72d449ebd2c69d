"""Pages of metrics: `/metrics` and `/federate`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from sanso.exposition.formats import negotiate
from sanso.exposition.page import HistogramSample, Sample
from sanso.exposition.render_page import render_page
from sanso.exposition.render_protobuf import render_protobuf
from sanso.model.labels import Labels, labels_of, metric_name, value_of
from sanso.model.native_histogram import CUSTOM_SCHEMA
from sanso.web.door import Asked
from sanso.web.newest import Newest, classic_series
from sanso.web.selectors import matchers_of
from sanso.web.services import Services

LEFT_OUT = "x-sanso-histograms-left-out"
_OWN = '{__name__=~"sanso_(source|process)_.+"}'
_HOST = '{__name__=~"(node|container|DCGM)_.+"}'


def metrics(services: Services, asked: Asked) -> Response:
    """What Sanso says of itself; with `?source=NAME` what it collects (`host`, or a metric name's beginning)."""
    source = asked.given.text("source")
    expr = {"": _OWN, "host": _HOST}.get(source, f'{{__name__=~"{source}.*"}}' if source.isidentifier() else _OWN)
    answer = services.engine.instant(expr, services.clock.now_ms(), asked.control)
    samples = [(labels, value, None) for labels, value in sorted(answer.samples(), key=_by_name)]
    histograms = [(answer.labels[row], histogram, None) for (row, _), histogram in answer.histograms.items()]
    return _page(samples, sorted(histograms, key=_by_name), services, asked)


def federate(services: Services, asked: Asked) -> Response:
    """The newest sample of each series that satisfies one of the selectors, with its own time.

    Native histograms of custom bounds become classic ones, as in Prometheus; exponential ones have a form in protobuf
    only. How many a text leaves out is said: in a comment, and, as OpenMetrics has none, in a header.
    """
    now = services.clock.now_ms()
    newest = Newest()
    for matchers in [matchers_of(text) for text in asked.given.strict().every("match[]")]:
        for frame in services.reader.select(matchers, now - services.limits.lookback_ms, now):
            asked.control.hold(frame.values.size, read=frame.values.size)
            newest.take(frame)
    added = services.external_labels
    samples = [(_with(labels, added), value, time) for labels, value, time in newest.samples()]
    histograms = [(_with(labels, added), histogram, time) for labels, histogram, time in newest.histograms()]
    return _page(samples, histograms, services, asked)


def _page(
    samples: Sequence[Sample], histograms: Sequence[HistogramSample], services: Services, asked: Asked
) -> Response:
    wanted = negotiate(asked.headers.get("accept", ""), protobuf=True)
    families = services.reader.families()
    if wanted.protobuf:
        body = render_protobuf(samples, histograms, families, wanted)
        return Response(body, media_type=wanted.content_type)
    classic = [sample for each in histograms if each[1].schema == CUSTOM_SCHEMA for sample in classic_series(*each)]
    ordered = sorted([*samples, *classic], key=_by_name) if classic else samples
    page = Response(render_page(ordered, families, wanted), media_type=wanted.content_type)
    left_out = sum(histogram.schema != CUSTOM_SCHEMA for _, histogram, _ in histograms)
    return _with_word_of(left_out, page) if left_out else page


def _by_name(sample: tuple[Labels, *tuple[object, ...]]) -> tuple[str, Labels]:
    return metric_name(sample[0]), sample[0]


def _with_word_of(left_out: int, page: Response) -> Response:
    """The page with how many histograms are not on it."""
    page.headers[LEFT_OUT] = str(left_out)
    if page.headers["content-type"].startswith("text/plain"):
        text = f"# exponential histograms left out, for they have no form in text: {left_out}\n"
        page.body = text.encode() + page.body
        page.headers["content-length"] = str(len(page.body))
    return page


def _with(labels: Labels, external: Labels) -> Labels:
    """With the external labels that it lacks; an empty `instance` keeps whoever reads from adding one."""
    known = {key for key, _ in labels}
    added = [pair for pair in external if pair[0] not in known]
    found = labels_of([*labels, *added])
    return found if value_of(found, "instance") else tuple(sorted((*found, ("instance", ""))))
