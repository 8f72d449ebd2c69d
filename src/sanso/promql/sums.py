"""Sums as exact as Prometheus's: what rounding loses is summed too, for all windows at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Mask

Places = NDArray[np.intp]

_LONG_RUN = 64
"""Rows in a run from which on folding is faster."""
_BLOCK_CELLS = 1 << 16
"""Rows are done in blocks of about so many cells, which stay in the processor's cache."""


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

    A few long runs are folded in halves, and what each addition loses is folded with them: three times faster than
    running sums, which wait for each other.

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
    if len(starts) * _LONG_RUN <= len(values) and np.isfinite(values).all():
        with np.errstate(all="ignore"):
            if (sizes == sizes[0]).all():
                sums, lost = _folded(values.reshape(len(sizes), -1, values.shape[1]))
            else:
                runs = zip(starts.tolist(), sizes.tolist(), strict=True)
                folded = [_folded(values[None, start : start + size]) for start, size in runs]
                sums, lost = (np.concatenate(parts) for parts in zip(*folded, strict=True))
            # Where terms have cancelled each other, two numbers are not enough.
            weight = np.add.reduceat(np.abs(values), starts, axis=0)
            if ((np.abs(sums) > weight * 2.0**-48) | (weight == 0)).all():
                return sums, lost
    sums, lost = _sums(np.ascontiguousarray(values.T), starts, starts + sizes)
    return sums.T, lost.T


def _folded(terms: Floats) -> tuple[Floats, Floats]:
    """Sums over the middle axis of [G, R, C], and what they have lost: [G, C] each."""
    lost = np.zeros((len(terms), terms.shape[2]))
    while terms.shape[1] > 1:
        half = terms.shape[1] // 2
        odd = terms[:, 2 * half :]
        first, second = terms[:, :half], terms[:, half : 2 * half]
        total = first + second
        came = total - first
        lost += ((first - (total - came)) + (second - came)).sum(axis=1)
        terms = np.concatenate([total, odd], axis=1) if odd.shape[1] else total
    return terms[:, 0], lost


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
    rows, length = values.shape
    sums, lost = np.empty((rows, len(first))), np.empty((rows, len(first)))
    block = max(1, _BLOCK_CELLS // max(length, 1))
    with np.errstate(all="ignore"):
        for start in range(0, rows, block):
            part = slice(start, start + block)
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
