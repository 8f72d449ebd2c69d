"""Coarser schemas: neighbouring buckets made one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sanso.promql.histograms.table import MIDDLE, Ints, Table


def reduced(table: Table, schema: Ints) -> Table:
    """Each histogram in a schema [C] that is not finer than its own; custom ones stay as they are."""
    steps = table.schema - schema
    if not steps.any():
        return table
    if (steps == steps[0]).all():
        keys, starts = _merged(table.keys, int(steps[0]))
        return replace(table, keys=keys, buckets=np.add.reduceat(table.buckets, starts, axis=0), schema=schema)
    found = {step: _merged(table.keys, step) for step in np.unique(steps).tolist()}
    keys = np.unique(np.concatenate([merged for merged, _ in found.values()]))
    buckets = np.zeros((len(keys), len(table)))
    for step, (merged, starts) in found.items():
        cells = np.flatnonzero(steps == step)
        rows = np.searchsorted(keys, merged)
        buckets[rows[:, None], cells] = np.add.reduceat(table.buckets[:, cells], starts, axis=0)
    return replace(table, keys=keys, buckets=buckets, schema=schema)


def _merged(keys: Ints, steps: int) -> tuple[Ints, Ints]:
    """Keys in a schema so many steps coarser, and where each begins among the old ones."""
    index = np.abs(keys) - MIDDLE
    coarser = np.sign(keys) * (((index - 1) >> steps) + 1 + MIDDLE)
    starts = np.flatnonzero(np.append([True], coarser[1:] != coarser[:-1]))
    return coarser[starts], starts
