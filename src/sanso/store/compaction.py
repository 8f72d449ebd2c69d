"""Compaction: short blocks of a frame made into a long one, which compresses better and is found faster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Floats, absent
from sanso.store.blocks import Block, sealed
from sanso.store.coarse import parts_in, series_of
from sanso.store.columns import BlockColumns, Index
from sanso.store.pace import Pace
from sanso.store.tombstones import Tombstones

LONGEST_ROWS = 4800
"""Rows of a long block: 80 minutes of a machine at 1 s; beyond that compression gains little and reading loses."""
LONGEST_COARSE_ROWS = 1200
"""Of coarse samples, which come slowly: four days of buckets of five minutes."""
_FEWEST = 4
"""Blocks worth the work."""


@dataclass(frozen=True)
class Stored:
    """A block as it lies in the file."""

    id: int
    rows: int
    first: int
    last: int


def due(blocks: Sequence[Stored], *, all_of_them: bool = False, longest: int = LONGEST_ROWS) -> list[Stored]:
    """Of one frame's blocks, oldest first, the first run worth merging; empty where none is.

    Args:
        blocks: Oldest first.
        longest: Rows of a long block.
        all_of_them: Whether even two short ones are worth it: nothing will be added.
    """
    fewest = 2 if all_of_them else _FEWEST
    run: list[Stored] = []
    rows = 0
    for block in blocks:
        if rows + block.rows > longest:
            if len(run) >= fewest:
                return run
            run, rows = [], 0
        if block.rows <= longest // 2:
            run.append(block)
            rows += block.rows
    long_enough = all_of_them or rows > longest * 3 // 4
    return run if long_enough and len(run) >= fewest else []


def merged(parts: Sequence[tuple[Index, BlockColumns]], pace: Pace, *, coarse: bool = False) -> Block:
    """One block of several, oldest first. Columns are merged one at a time: only one is ever decompressed.

    Args:
        parts: The blocks, all raw or all coarse.
        pace: How fast.
        coarse: Which.

    Raises:
        StoreError: A block is damaged.
    """
    numbers = list(dict.fromkeys(number for index, _ in parts for number in index.places.series))
    wanted = np.array(numbers, dtype=np.int64)
    places = [parts_in(index, wanted) if coarse else index.places.of(wanted) for index, _ in parts]
    times = np.concatenate([index.times for index, _ in parts])

    def column(line: int) -> Floats:
        pieces = [
            columns.column(int(where[line])) if where[line] >= 0 else absent(len(index.times))
            for (index, columns), where in zip(parts, places, strict=True)
        ]
        return np.concatenate(pieces)

    return sealed(times, numbers, pace.over(map(column, range(len(numbers)))))


def without_deleted(
    part: tuple[Index, BlockColumns], tombstones: Tombstones, pace: Pace, *, coarse: bool = False
) -> Block | None:
    """The block with deleted samples absent; None where it holds none.

    Raises:
        StoreError: The block is damaged.
    """
    index, columns = part
    series = [series_of(code) if coarse else code for code in index.places.series]
    if not any(tombstones.of(number) for number in series):
        return None

    def column(place: int) -> Floats:
        values = columns.column(place).copy()
        tombstones.hide([series[place]], index.times, values[None, :])
        return values

    return sealed(index.times, index.places.series, pace.over(map(column, range(len(series)))))
