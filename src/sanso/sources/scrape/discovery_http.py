"""HTTP discovery: target groups as JSON from a server."""

from __future__ import annotations

import json
import re

from sanso.model.errors import SourceError
from sanso.sources.scrape.connection import new_buffer
from sanso.sources.scrape.discovery import groups_of
from sanso.sources.scrape.fetch import Fetcher, Wish
from sanso.sources.scrape.settings import HttpDiscovery, TargetGroup
from sanso.sources.scrape.tls import TlsContexts

_JSON = re.compile(r'application/json(;\s*charset=("utf-8"|utf-8))?', re.IGNORECASE)
_MOST_BYTES = 64 << 20


class HttpWatch:
    """Asks one server for groups; what it gave stays until it gives something else.

    Args:
        settings: Where and how.
    """

    def __init__(self, settings: HttpDiscovery) -> None:
        self._settings = settings
        self._fetcher = Fetcher(settings.http, TlsContexts(settings.http.tls), new_buffer())
        refresh_s = settings.refresh_ms / 1000
        headers = (
            ("Accept", "application/json"),
            ("Accept-Encoding", "gzip"),
            ("X-Prometheus-Refresh-Interval-Seconds", f"{refresh_s:g}"),
        )
        self._wish = Wish(headers, _MOST_BYTES, refresh_s)

    async def groups(self) -> list[TargetGroup]:
        """What the server gives now.

        Raises:
            SourceError: It does not answer, or with something else.
        """
        url = self._settings.url
        answer = await self._fetcher.fetch(url, self._wish)
        kind = answer.headers.get("content-type", "").strip()
        if not _JSON.fullmatch(kind):
            raise SourceError(f"{url}: unsupported content type {kind!r}: application/json is expected")
        try:
            tree = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{url}: is not JSON: {error}") from error
        return groups_of(tree, url, (("__meta_url", url),))

    def close(self) -> None:
        """Let go of the connection."""
        self._fetcher.close()
