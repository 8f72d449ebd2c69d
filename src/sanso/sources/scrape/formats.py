"""Which format is asked for, and which one an answer is in."""

from __future__ import annotations

from collections.abc import Sequence

from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.page import Limits, Page
from sanso.exposition.parse import TextParser
from sanso.sources.scrape.settings import OPENMETRICS, OPENMETRICS_OLD, TEXT, TEXT_NEW

_TYPES = {
    OPENMETRICS: "application/openmetrics-text;version=1.0.0",
    OPENMETRICS_OLD: "application/openmetrics-text;version=0.0.1",
    TEXT_NEW: "text/plain;version=1.0.0;escaping=allow-utf-8",
    TEXT: "text/plain;version=0.0.4",
}


def accept(protocols: Sequence[str]) -> str:
    """The Accept header: the first is liked best, anything else least."""
    weight = len(protocols) + 1
    wishes = [f"{_TYPES[name]};q=0.{weight - place}" for place, name in enumerate(protocols)]
    return ",".join([*wishes, "*/*;q=0.1"])


class PageParser:
    """Reads the pages of one target, in whichever format each is.

    Args:
        limits: What is accepted.
        fallback: The format of a page that does not say.
    """

    def __init__(self, limits: Limits, fallback: str) -> None:
        self._limits = limits
        self._fallback = fallback
        self._parser: TextParser | OpenMetricsParser | None = None

    def parse(self, body: bytes, content_type: str) -> Page:
        """One page.

        Raises:
            DecodeError: Names the line; nothing of the page is taken.
        """
        kind = content_type.partition(";")[0].strip().lower()
        known = kind in ("application/openmetrics-text", "text/plain")
        openmetrics = kind == "application/openmetrics-text" if known else self._fallback.startswith("OpenMetrics")
        wanted = OpenMetricsParser if openmetrics else TextParser
        if not isinstance(self._parser, wanted):
            self._parser = wanted(self._limits)
        return self._parser.parse(body)
