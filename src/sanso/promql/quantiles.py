"""Quantiles of plain samples, interpolated as Prometheus does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Mask, absent, is_whole

Counts = NDArray[np.int64]


def quantiles_of(values: Floats, held: Mask, wanted: Floats) -> Floats:
    """The quantile of each group at each step.

    Outside 0 to 1 it is -Inf or +Inf, for NaN NaN. NaN among the values counts as less than any number.

    Args:
        values: Shape [K, size, S]: groups of one size.
        held: Which of them there are.
        wanted: Shape [S].

    Returns:
        Shape [K, S]; ABSENT where a group has nothing.
    """
    counts, missing, ordered = _in_order(values, held)
    inside = np.clip(np.nan_to_num(wanted), 0.0, 1.0)
    rank = inside * np.maximum(counts - 1, 0)
    below = np.floor(rank).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    weight = rank - below
    with np.errstate(invalid="ignore"):
        lower = np.where(below < missing, np.nan, np.take_along_axis(ordered, below[:, None], axis=1)[:, 0])
        upper = np.where(above < missing, np.nan, np.take_along_axis(ordered, above[:, None], axis=1)[:, 0])
        between = lower * (1 - weight) + upper * weight
    found = np.where(weight == 0, lower, between)  # what follows may be infinite
    found = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, np.where(np.isnan(wanted), np.nan, found)))
    out = absent(*found.shape)
    np.copyto(out, found, where=counts > 0)
    return out


def _in_order(values: Floats, held: Mask) -> tuple[Counts, Counts, Floats]:
    """How many values each group has at each step, how many of them are NaN, [K, S]; and all in order, absent last."""
    if held.all() and is_whole(values):
        counts = np.full((values.shape[0], values.shape[2]), values.shape[1])
        return counts, np.zeros_like(counts), np.sort(values, axis=1)
    missing = (held & np.isnan(values)).sum(axis=1)
    ordered = np.sort(np.where(held, np.where(np.isnan(values), -np.inf, values), np.inf), axis=1)
    return held.sum(axis=1), missing, ordered


def quantile_of(wanted: Floats, values: Floats) -> Floats:
    """The quantile of each row of [N, t], t at least 1, each its own of [N]: shape [N]."""
    columns = np.ascontiguousarray(values.T)[None]
    found: Floats = quantiles_of(columns, np.ones(columns.shape, dtype=bool), wanted)[0]
    return found
