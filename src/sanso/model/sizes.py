"""Sizes as people write them: 512MB, 10GB, 1.5GiB."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|[KMGT]i?B?)?", re.IGNORECASE)
_POWERS = {"": 0, "B": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_bytes(text: str) -> int:
    """Bytes of a size; as in Prometheus, KB, MB and GB are powers of 1024.

    Raises:
        ValueError: It is not a size.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a size like 512MB or 10GB")
    return int(float(found[1]) * 1024 ** _POWERS[(found[2] or "")[:1].upper()])
