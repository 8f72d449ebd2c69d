"""Compaction: short blocks of a frame made into a long one, which compresses better and is found faster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sanso.model.frame import ABSENT, Floats, absent
from sanso.store.blocks import Block, decode_chunk, decode_index, decode_times, sealed
from sanso.store.tombstones import Tombstones

LONGEST_ROWS = 4800
"""Rows of a long block: 80 minutes of a machine at 1 s; beyond that compression gains little and reading loses."""
_FEWEST = 4
"""Blocks worth the work."""


@dataclass(frozen=True)
class Stored:
    """A block as it lies in the file."""

    id: int
    rows: int
    first: int
    last: int


@dataclass(frozen=True)
class Parts:
    """A block's bytes."""

    rows: int
    timeline: bytes
    index: bytes
    chunks: bytes


def due(blocks: Sequence[Stored], *, all_of_them: bool = False) -> list[Stored]:
    """Of one frame's blocks, oldest first, the first run worth merging; empty where none is.

    Args:
        blocks: Oldest first.
        all_of_them: Whether even two short ones are worth it: nothing will be added.
    """
    fewest = 2 if all_of_them else _FEWEST
    run: list[Stored] = []
    rows = 0
    for block in blocks:
        if rows + block.rows > LONGEST_ROWS:
            if len(run) >= fewest:
                return run
            run, rows = [], 0
        if block.rows <= LONGEST_ROWS // 2:
            run.append(block)
            rows += block.rows
    long_enough = all_of_them or rows > LONGEST_ROWS * 3 // 4
    return run if long_enough and len(run) >= fewest else []


def merged(parts: Sequence[Parts]) -> Block:
    """One block of several, oldest first. Columns are merged one at a time: only one is ever decompressed.

    Raises:
        StoreError: A block is damaged.
    """
    indices = [decode_index(part.index) for part in parts]
    places = [{int(number): place for place, number in enumerate(series)} for series, _ in indices]
    numbers = list(dict.fromkeys(number for each in places for number in each))
    times = np.concatenate([decode_times(part.timeline) for part in parts])

    def column(number: int) -> Floats:
        pieces = []
        for part, (_, ends), where in zip(parts, indices, places, strict=True):
            place = where.get(number)
            if place is None:
                pieces.append(absent(part.rows))
            else:
                pieces.append(decode_chunk(part.chunks[ends[place] : ends[place + 1]], part.rows))
        return np.concatenate(pieces)

    return sealed(times, numbers, map(column, numbers))


def without_deleted(parts: Parts, tombstones: Tombstones) -> Block | None:
    """The block with deleted samples absent; None where it holds none.

    Raises:
        StoreError: The block is damaged.
    """
    series, ends = decode_index(parts.index)
    hit = [place for place, number in enumerate(series.tolist()) if tombstones.of(number)]
    if not hit:
        return None
    times = decode_times(parts.timeline)

    def column(place: int) -> Floats:
        values = decode_chunk(parts.chunks[ends[place] : ends[place + 1]], parts.rows).copy()
        for start_ms, end_ms in tombstones.of(int(series[place])):
            first, last = np.searchsorted(times, [start_ms, end_ms + 1])
            values[first:last] = ABSENT
        return values

    return sealed(times, series.tolist(), map(column, range(len(series))))
