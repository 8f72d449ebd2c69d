"""Putting together what a reader asked for: the sealed part and the head of each frame, one row a series."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from sanso.model.frame import Floats, Frame, Times, absent, is_absent
from sanso.model.labels import Labels
from sanso.store.blocks import decode_chunk, decode_index, decode_times
from sanso.store.catalog import Entry
from sanso.store.head import View

Piece = tuple[Times, Floats]
"""Times [T] and values [N, T]."""


def from_head(view: View, wanted: Sequence[int], start_ms: int, end_ms: int) -> Piece:
    """The part of a head inside [start, end]."""
    times = view.timeline[: view.rows]
    first, last = np.searchsorted(times, [start_ms, end_ms + 1])
    values = absent(len(wanted), int(last - first))
    if last > first:
        places = {number: place for place, number in enumerate(view.series)}
        rows = [row for row, number in enumerate(wanted) if number in places]
        values[rows] = view.values[first:last, [places[wanted[row]] for row in rows]].T
    return times[first:last].copy(), values


def from_blocks(
    connection: sqlite3.Connection, frame: int, wanted: Sequence[int], start_ms: int, end_ms: int
) -> list[Piece]:
    """The sealed parts inside [start, end], oldest first; only the asked columns are read."""
    found = connection.execute(
        "select id, rows, timeline, places from blocks where frame = ? and last >= ? and first <= ? order by last",
        (frame, start_ms, end_ms),
    ).fetchall()
    pieces = []
    for block, rows, timeline, index in found:
        times = decode_times(timeline)
        first, last = np.searchsorted(times, [start_ms, end_ms + 1])
        values = absent(len(wanted), rows)
        series, ends = decode_index(index)
        places = {int(number): place for place, number in enumerate(series)}
        with connection.blobopen("blocks", "chunks", block, readonly=True) as blob:
            for row, number in enumerate(wanted):
                place = places.get(number)
                if place is not None:
                    blob.seek(int(ends[place]))
                    values[row] = decode_chunk(blob.read(int(ends[place + 1] - ends[place])), rows)
        pieces.append((times[first:last], values[:, first:last]))
    return pieces


def joined(entries: Sequence[Entry], pieces: Sequence[Piece]) -> Frame | None:
    """One frame of all pieces, without the series that have no sample in it; None where nothing is left."""
    times = np.concatenate([piece[0] for piece in pieces])
    if not len(times):
        return None
    values = np.concatenate([piece[1] for piece in pieces], axis=1)
    held = ~is_absent(values).all(axis=1)
    if not held.any():
        return None
    if held.all():
        return Frame([entry.labels for entry in entries], times, np.ascontiguousarray(values))
    kept = np.flatnonzero(held).tolist()
    return Frame([entries[row].labels for row in kept], times, np.ascontiguousarray(values[kept]))


def unified(frames: list[Frame]) -> list[Frame]:
    """The same, with each series that stands in several frames brought into a frame of its own."""
    seen: dict[Labels, int] = {}
    for frame in frames:
        for labels in frame.labels:
            seen[labels] = seen.get(labels, 0) + 1
    repeated = {labels for labels, times in seen.items() if times > 1}
    if not repeated:
        return frames
    single = [part for frame in frames if (part := _without(frame, repeated)) is not None]
    places: dict[Labels, list[tuple[Frame, int]]] = {labels: [] for labels in sorted(repeated)}
    for frame in frames:
        for row, labels in enumerate(frame.labels):
            if labels in places:
                places[labels].append((frame, row))
    return single + [_merged(labels, where) for labels, where in places.items()]


def _without(frame: Frame, labels: set[Labels]) -> Frame | None:
    kept = [row for row, name in enumerate(frame.labels) if name not in labels]
    if not kept:
        return None
    return Frame([frame.labels[row] for row in kept], frame.timeline, np.ascontiguousarray(frame.values[kept]))


def _merged(labels: Labels, where: Sequence[tuple[Frame, int]]) -> Frame:
    """One series' samples from every frame and row that has it; of two at one time the first frame's stands."""
    times, values = [], []
    for frame, number in where:
        row = frame.values[number]
        held = ~is_absent(row)
        times.append(frame.timeline[held])
        values.append(row[held])
    all_times, all_values = np.concatenate(times), np.concatenate(values)
    order = np.argsort(all_times, kind="stable")
    all_times, all_values = all_times[order], all_values[order]
    first = np.append([True], all_times[1:] != all_times[:-1])
    return Frame([labels], all_times[first], np.ascontiguousarray(all_values[first][None, :]))
