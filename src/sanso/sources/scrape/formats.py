"""Which formats the pages of a job are asked for in, and read in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from sanso.exposition.custom_buckets import CustomBuckets
from sanso.exposition.metric_series import MetricTexts
from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.page import HistogramWish, Page
from sanso.exposition.parse import TextParser
from sanso.exposition.protobuf import ProtobufParser
from sanso.exposition.series_text import SeriesTexts
from sanso.sources.scrape.fetch import Wish
from sanso.sources.scrape.labelling import page_limits
from sanso.sources.scrape.settings import (
    NATIVE_PROTOCOLS,
    OPENMETRICS,
    OPENMETRICS_OLD,
    PROTOBUF,
    TEXT,
    TEXT_NEW,
    ScrapeJob,
)

Parser: TypeAlias = TextParser | OpenMetricsParser | ProtobufParser
_TYPES = {
    PROTOBUF: "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    OPENMETRICS: "application/openmetrics-text;version=1.0.0",
    OPENMETRICS_OLD: "application/openmetrics-text;version=0.0.1",
    TEXT_NEW: "text/plain;version=1.0.0;escaping=allow-utf-8",
    TEXT: "text/plain;version=0.0.4",
}
_MEDIA_TYPES = {name: kind.partition(";")[0] for name, kind in _TYPES.items()}


def accept(protocols: Sequence[str]) -> str:
    """The Accept header: the first is liked best, anything else least."""
    weight = len(NATIVE_PROTOCOLS) + 1
    wishes = [f"{_TYPES[name]};q=0.{weight - place}" for place, name in enumerate(protocols)]
    return ",".join([*wishes, f"*/*;q=0.{weight - len(protocols)}"])


class JobPages:
    """The pages of a job: its targets are mostly of one kind, so what the lines of one told is known for all.

    Args:
        job: Formats, limits.
    """

    def __init__(self, job: ScrapeJob) -> None:
        self._job = job
        self._limits = page_limits(job.limits)
        self._text = SeriesTexts(self._limits, strict=False)
        self._openmetrics = SeriesTexts(self._limits, strict=True)
        self._metrics = MetricTexts(self._limits)

    @property
    def histograms(self) -> HistogramWish:
        """What is wanted of them."""
        return self._job.histograms

    def wish(self, timeout_ms: int) -> Wish:
        """What is asked of a target."""
        headers = [
            ("Accept", accept(self._job.asked)),
            ("X-Prometheus-Scrape-Timeout-Seconds", f"{timeout_ms / 1000:g}"),
        ]
        if self._job.compression:
            headers.append(("Accept-Encoding", "gzip"))
        return Wish(tuple(headers), self._job.limits.body_bytes, timeout_ms / 1000)

    def parser(self, content_type: str, before: Parser | None, histograms: HistogramWish) -> Parser:
        """The parser for pages of a content type: the one of the page before where it is of that format."""
        kind = content_type.partition(";")[0].strip().lower()
        if kind not in _MEDIA_TYPES.values():
            kind = _MEDIA_TYPES[self._job.fallback]
        if kind == _MEDIA_TYPES[PROTOBUF]:
            if isinstance(before, ProtobufParser):
                return before
            return ProtobufParser(self._limits, histograms, self._metrics)
        if kind == _MEDIA_TYPES[OPENMETRICS]:
            if isinstance(before, OpenMetricsParser):
                return before
            return OpenMetricsParser(self._limits, self._openmetrics)
        return before if isinstance(before, TextParser) else TextParser(self._limits, self._text)

    def before(self, body: bytes, content_type: str, histograms: HistogramWish | None) -> Page:
        """What stands in a text page before a line that is wrong; what is known of the target's pages stays.

        Raises:
            DecodeError: Something is wrong there too.
        """
        parser = self.parser(content_type, None, histograms or self.histograms)
        return parser.parse(body + b"# EOF\n" if isinstance(parser, OpenMetricsParser) else body)


class PageParser:
    """Reads the pages of one target, in whichever format each is.

    Args:
        pages: Of its job.
        histograms: What is wanted of them; None for what the job says.
    """

    def __init__(self, pages: JobPages, histograms: HistogramWish | None = None) -> None:
        self._pages = pages
        self._histograms = histograms or pages.histograms
        self._parser: Parser | None = None
        self._custom = CustomBuckets(self._histograms) if self._histograms.custom else None

    def parse(self, body: bytes, content_type: str) -> Page:
        """One page.

        Raises:
            DecodeError: Names the line or the metric; nothing of the page is taken.
        """
        self._parser = self._pages.parser(content_type, self._parser, self._histograms)
        page = self._parser.parse(body)
        if self._custom is None or isinstance(self._parser, ProtobufParser):  # that one does it itself
            return page
        return self._custom.converted(page)
