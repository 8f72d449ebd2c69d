"""Quantiles of plain samples, interpolated as Prometheus does."""

from __future__ import annotations

import numpy as np

from sanso.model.frame import Floats


def quantile_of_sorted(wanted: float, ordered: Floats) -> Floats:
    """The quantile of each row of [N, t], values rising, t at least 1: shape [N].

    Outside 0 to 1 it is -Inf or +Inf, for NaN NaN.
    """
    rows, length = ordered.shape
    if np.isnan(wanted) or not 0 <= wanted <= 1:
        return np.full(rows, np.nan if np.isnan(wanted) else -np.inf if wanted < 0 else np.inf)
    rank = wanted * (length - 1)
    below = int(max(np.floor(rank), 0))
    above = min(below + 1, length - 1)
    weight = rank - np.floor(rank)
    with np.errstate(invalid="ignore"):
        quantile: Floats = ordered[:, below] * (1 - weight) + ordered[:, above] * weight
    return quantile
