"""What a store may keep, and how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """As `Store.open` takes them.

    Attributes:
        retention_ms: How long rows are kept as they came.
        head_rows: Rows in memory before a frame is sealed.
        max_bytes: What file and write-ahead log together may take; 0 for no limit.
        late_ms: How much older than its series' newest a sample may be.
        tiers: How long coarse samples are kept, by resolution, both in ms.
    """

    retention_ms: int
    head_rows: int
    max_bytes: int
    late_ms: int
    tiers: Mapping[int, int]
