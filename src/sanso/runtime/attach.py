"""Finding who watches this machine already."""

from __future__ import annotations

import os

from sanso.client.http import HttpClient
from sanso.model.errors import ClientError
from sanso.runtime.config import Config
from sanso.store.lock import holder


def running_server(config: Config, url: str = "") -> HttpClient | None:
    """A client of the server at `url` or `SANSO_URL`, or of whoever holds the data directory; None where there is none.

    Raises:
        ClientError: A server was asked for by name and does not answer.
    """
    asked = url or os.environ.get("SANSO_URL", "")
    if asked:
        client = HttpClient(asked)
        client.check()
        return client
    found = holder(config.data)
    if found is None or not found.url:
        return None
    client = HttpClient(found.url)
    try:
        client.check()
    except ClientError:
        client.close()
        return None
    return client
