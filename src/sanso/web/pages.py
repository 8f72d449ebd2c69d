"""Pages of exposition text: `/metrics` and `/federate`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from starlette.responses import Response

from sanso.exposition.formats import negotiate
from sanso.exposition.page import Sample
from sanso.exposition.render_page import render_page
from sanso.model.frame import Family, Frame, is_absent, is_stale
from sanso.model.labels import NAME, Labels, labels_of, metric_name, value_of
from sanso.model.native_histogram import CUSTOM_SCHEMA, part_of, plain
from sanso.web.door import Asked
from sanso.web.selectors import matchers_of
from sanso.web.services import Services

LEFT_OUT = "x-sanso-histograms-left-out"
_OWN = '{__name__=~"sanso_(source|process)_.+"}'
_HOST = '{__name__=~"(node|container|DCGM)_.+"}'


def metrics(services: Services, asked: Asked) -> Response:
    """What Sanso says of itself; with `?source=NAME` what it collects (`host`, or a metric name's beginning)."""
    source = asked.given.text("source")
    expr = {"": _OWN, "host": _HOST}.get(source, f'{{__name__=~"{source}.*"}}' if source.isidentifier() else _OWN)
    samples = services.engine.instant(expr, services.clock.now_ms(), asked.control).samples()
    ordered = sorted(samples, key=lambda sample: (metric_name(sample[0]), sample[0]))
    return _page(((labels, value, None) for labels, value in ordered), services.reader.families(), asked)


def federate(services: Services, asked: Asked) -> Response:
    """The newest sample of each series that satisfies one of the selectors, with its own time.

    Native histograms of custom bounds become classic ones, as in Prometheus; exponential ones have no form in text, and
    how many are left out is said: in a comment, and, as OpenMetrics has none, in a header.
    """
    now = services.clock.now_ms()
    found: dict[Labels, Sample] = {}
    left_out: set[Labels] = set()
    for matchers in [matchers_of(text) for text in asked.given.every("match[]")]:
        for frame in services.reader.select(matchers, now - services.limits.lookback_ms, now):
            asked.control.hold(frame.values.size, read=frame.values.size)
            for sample in _newest(frame, left_out):
                found[sample[0]] = sample
    ordered = (found[labels] for labels in sorted(found, key=lambda labels: (metric_name(labels), labels)))
    named = ((_with(labels, services.external_labels), value, time) for labels, value, time in ordered)
    page = _page(named, services.reader.families(), asked)
    return _with_word_of(len(left_out), page) if left_out else page


def _with_word_of(left_out: int, page: Response) -> Response:
    """The page with how many histograms are not on it."""
    page.headers[LEFT_OUT] = str(left_out)
    if page.headers["content-type"].startswith("text/plain"):
        text = f"# exponential histograms left out, for they have no form in text: {left_out}\n"
        page.body = text.encode() + page.body
        page.headers["content-length"] = str(len(page.body))
    return page


def _page(samples: Iterable[Sample], families: Mapping[str, Family], asked: Asked) -> Response:
    wanted = negotiate(asked.headers.get("accept", ""))
    return Response(render_page(samples, families, wanted), media_type=wanted.content_type)


def _newest(frame: Frame, left_out: set[Labels]) -> Iterator[Sample]:
    """Each series' last sample, unless the series has ended; names the histograms that it leaves out."""
    held = ~is_absent(frame.values)
    last = held.shape[1] - 1 - np.argmax(held[:, ::-1], axis=1)
    values = np.take_along_axis(frame.values, last[:, None], axis=1)[:, 0]
    usable = held.any(axis=1) & ~is_stale(np.ascontiguousarray(values))
    times = frame.timeline[last]
    parts: dict[Labels, dict[str, Sample]] = {}
    for row in np.flatnonzero(usable).tolist():
        labels = frame.labels[row]
        sample = labels, float(values[row]), int(times[row])
        if part := part_of(labels):
            parts.setdefault(plain(labels), {})[part] = sample
        elif metric_name(labels):
            yield sample
    for labels, found in parts.items():
        if "schema" in found and found["schema"][1] == CUSTOM_SCHEMA:
            yield from _classic(labels, found)
        else:
            left_out.add(labels)


def _classic(labels: Labels, found: Mapping[str, Sample]) -> Iterator[Sample]:
    """The series of a classic histogram."""
    name, time = metric_name(labels), found["schema"][2]
    newest = {part: value for part, (_, value, at) in found.items() if at == time}
    total = 0.0
    for upper, text in sorted((float(part[3:]), part[3:]) for part in newest if part.startswith("le:")):
        total += newest[f"le:{text}"]
        bound = "+Inf" if math.isinf(upper) else text.removesuffix(".0")
        yield labels_of({**dict(labels), NAME: f"{name}_bucket", "le": bound}), total, time
    for part in ("sum", "count"):
        yield labels_of({**dict(labels), NAME: f"{name}_{part}"}), newest.get(part, 0.0), time


def _with(labels: Labels, external: Labels) -> Labels:
    """With the external labels that it lacks; an empty `instance` keeps whoever reads from adding one."""
    known = {key for key, _ in labels}
    added = [pair for pair in external if pair[0] not in known]
    found = labels_of([*labels, *added])
    return found if value_of(found, "instance") else tuple(sorted((*found, ("instance", ""))))
