"""Sums as exact as Prometheus's: what rounding loses is summed too, for all windows at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Mask
from sanso.promql.blocks import row_blocks

Places = NDArray[np.intp]

_LONG_RUN = 64
"""Rows in a run from which on it is summed by itself."""
_DIGITS, _MOST_EXPONENT = 53, 1023
"""Of a float."""
_SPARE = 55
"""A sum is right to the last digit where what it lacks is smaller by so many powers of two."""


def window_sums(values: Floats, first: Places, last: Places) -> Floats:
    """The sum of values[:, first[i]:last[i]] for every i, 0 where that is nothing.

    Each is right to the last digit or so however the terms cancel each other. A sum that is too great is infinite.

    Args:
        values: Shape [R, T]; no absent cell.
        first: Where windows begin, shape [W].
        last: One past their ends.

    Returns:
        Shape [R, W].
    """
    sums, lost = _sums(values, first, last)
    with np.errstate(invalid="ignore"):
        sums += lost
    return sums


def run_sums(values: Floats, starts: Places, sizes: Places) -> Floats:
    """The sum of each run of rows, column by column: as `window_sums`, for runs that follow each other.

    Each of a few long runs is summed by itself: seven times faster than running sums, which wait for each other.

    Args:
        values: Shape [R, C]; no absent cell.
        starts: The first row of each run, shape [G].
        sizes: How many rows each has.

    Returns:
        Shape [G, C].
    """
    sums, lost = _run_sums(values, starts, sizes)
    with np.errstate(invalid="ignore"):
        return sums + lost


def run_means(values: Floats, starts: Places, sizes: Places, counts: NDArray[np.int64]) -> Floats:
    """The mean of each run of rows, column by column: as `window_means`, for runs that follow each other."""
    sums, lost = _run_sums(values, starts, sizes)
    if np.isinf(sums).any():
        return window_means(np.ascontiguousarray(values.T), starts, starts + sizes, counts.T).T
    with np.errstate(all="ignore"):
        among = np.maximum(counts, 1)
        means: Floats = sums / among + lost / among
    return means


def _run_sums(values: Floats, starts: Places, sizes: Places) -> tuple[Floats, Floats]:
    """As `_sums`, for runs of rows."""
    if len(starts) * _LONG_RUN > len(values):
        sums, lost = _sums(np.ascontiguousarray(values.T), starts, starts + sizes)
        return sums.T, lost.T
    sums, lost = np.empty((len(starts), values.shape[1])), np.empty((len(starts), values.shape[1]))
    with np.errstate(all="ignore"):
        for run, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
            terms = values[start : start + size]
            sure = _rounded(terms, sums[run], lost[run])
            if not sure.all():
                doubtful = np.ascontiguousarray(terms[:, ~sure].T)
                again = _sums(doubtful, np.zeros(1, dtype=np.intp), np.array([size]))
                sums[run, ~sure], lost[run, ~sure] = again[0][:, 0], again[1][:, 0]
    return sums, lost


def _rounded(terms: Floats, sums: Floats, lost: Floats) -> Mask:
    """Sum columns of terms [R, C]: rounded so coarsely that no addition rounds any more, and what that has cut off.

    After Rump, Ogita and Oishi (2008), "Accurate floating-point summation": adding a number as great as all terms
    together, and taking it away again, leaves of each term the digits that they can have in common.

    Returns:
        The columns [C] where what is lost in summing what was cut off is too little to matter.
    """
    greatest = max(float(terms.max()), -float(terms.min()))
    common = math.frexp(greatest)[1] + (len(terms) + 1).bit_length()
    if greatest == 0 or not math.isfinite(greatest) or common > _MOST_EXPONENT:
        sums[:] = lost[:] = 0.0
        return np.full(len(sums), greatest == 0)
    above = math.ldexp(1.0, common)
    rounded = terms + above
    rounded -= above
    np.add.reduce(rounded, axis=0, out=sums)
    np.subtract(terms, rounded, out=rounded)
    np.add.reduce(rounded, axis=0, out=lost)
    return np.abs(sums) >= math.ldexp(len(terms) ** 2, common - 2 * _DIGITS + _SPARE)


def window_means(values: Floats, first: Places, last: Places, counts: NDArray[np.int64]) -> Floats:
    """The mean of each window, also where the sum would be too great; anything where it is empty.

    Args:
        values: As above.
        first: As above.
        last: As above.
        counts: By how many each sum is divided, broadcasts to [R, W].
    """
    sums, lost = _sums(values, first, last)
    with np.errstate(all="ignore"):
        among = np.maximum(counts, 1)
        means: Floats = sums / among + lost / among
        over = np.isinf(sums)
        if not over.any():
            return means
        # An infinite sum is either one of infinite terms, where the mean is infinite too, or one that is too great.
        rows = np.flatnonzero(over.any(axis=1))
        small = window_sums(np.ldexp(values[rows], -64), first, last)
        shared = np.broadcast_to(among, means.shape)[rows]
        means[rows] = np.where(over[rows], np.ldexp(small / shared, 64), means[rows])
    return means


def _sums(values: Floats, first: Places, last: Places) -> tuple[Floats, Floats]:
    """Sums, each [R, W], and what to add to them for what rounding has lost."""
    rows = len(values)
    sums, lost = np.empty((rows, len(first))), np.empty((rows, len(first)))
    with np.errstate(all="ignore"):
        for part in row_blocks(values):
            sums[part], lost[part] = _block(values[part], first, last)
    return sums, lost


def _block(values: Floats, first: Places, last: Places) -> tuple[Floats, Floats]:
    finite = np.isfinite(values)
    if finite.all():
        return _finite(values, first, last)
    sums, lost = _finite(np.where(finite, values, 0.0), first, last)
    return sums + _plain(np.where(finite, 0.0, values), first, last), lost


def _plain(values: Floats, first: Places, last: Places) -> Floats:
    """Sums without care, of infinities and NaN."""
    padded = np.concatenate([values, np.zeros((len(values), 1))], axis=1)
    edges = np.empty(2 * len(first), dtype=np.intp)
    edges[0::2], edges[1::2] = first, last
    sums: Floats = np.add.reduceat(padded, edges, axis=1)[:, ::2]
    return np.where(last > first, sums, 0.0)


def _finite(values: Floats, first: Places, last: Places) -> tuple[Floats, Floats]:
    """Differences of running sums kept in two numbers each: the sum, and what its roundings have lost."""
    rows, length = values.shape
    high, low = np.zeros((rows, length + 1)), np.zeros((rows, length + 1))
    np.cumsum(values, axis=1, out=high[:, 1:])
    before, after = high[:, :-1], high[:, 1:]
    came = after - before
    gone = before - (after - came)
    gone += values - came
    np.cumsum(gone, axis=1, out=low[:, 1:])
    upper, lower = high[:, last], high[:, first]
    sums = upper - lower
    came = sums - upper
    lost = (upper - (sums - came)) - (lower + came) + (low[:, last] - low[:, first])
    greatest = np.abs(high).max(axis=1, keepdims=True)
    # Where nothing was lost the running sums are exact, and so is every difference.
    rounded = (low != 0).any(axis=1, keepdims=True)
    sure = (np.abs(sums) > greatest * (length * 2.0**-52)) | ~rounded
    if not sure.all():
        _mend(sums, lost, ~sure, values, first, last)
    return sums, lost


def _mend(sums: Floats, lost: Floats, doubtful: Mask, values: Floats, first: Places, last: Places) -> None:
    """Sum again, term by term, where the running sums were too great for the sum that is left of them."""
    some = _any_term(values, first, last)
    for part in (sums, lost):
        np.copyto(part, 0.0, where=doubtful & ~some)
    rows, windows = np.nonzero(doubtful & some)
    if len(rows):
        found = _one_by_one(values, rows, first[windows], last[windows])
        sums[rows, windows], lost[rows, windows] = found


def _any_term(values: Floats, first: Places, last: Places) -> Mask:
    """Windows that have a term other than 0."""
    seen = np.zeros((values.shape[0], values.shape[1] + 1), dtype=np.int64)
    np.cumsum(values != 0, axis=1, out=seen[:, 1:])
    return np.asarray(seen[:, last] > seen[:, first])


def _one_by_one(values: Floats, rows: Places, first: Places, last: Places) -> tuple[Floats, Floats]:
    """Neumaier's sum, which is Prometheus's: where terms are too far apart even for it, it errs in the same way."""
    total, lost = np.zeros(len(rows)), np.zeros(len(rows))
    for place in range(int((last - first).max())):
        inside = first + place < last
        term = np.where(inside, values[rows, np.minimum(first + place, last - 1)], 0.0)
        after = total + term
        greater = np.abs(total) >= np.abs(term)
        lost += np.where(greater, (total - after) + term, (term - after) + total)
        lost[np.isinf(after)] = 0.0
        total = after
    return total, lost
