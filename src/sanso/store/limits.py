"""What a store may keep, and what it holds."""

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


@dataclass(frozen=True)
class StoreStats:
    """What a store holds and had to give up.

    Attributes:
        series: Series known.
        samples: Cells of rows kept as they came.
        bytes: The file.
        refused: Samples refused because they came too late, or differ from one that was there.
        lost: Rows given up because the disk took nothing for so long that memory was full.
        writing: Whether everything appended so far is on disk, as far as was tried.
        held_up: How often somebody had to wait because rows came faster than they could be sealed.
    """

    series: int
    samples: int
    bytes: int
    refused: int
    lost: int
    writing: bool
    held_up: int = 0
