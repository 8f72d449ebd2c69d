"""Sums as exact as Prometheus's: what rounding loses is summed too, for all windows at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Mask
from sanso.promql.row_blocks import row_blocks
from sanso.promql.segments import Places, Segments

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

    Args:
        values: Shape [R, C]; no absent cell.
        starts: The first row of each run, shape [G].
        sizes: How many rows each has.

    Returns:
        Shape [G, C].
    """
    sums, lost = _of_columns(values, starts, starts + sizes)
    with np.errstate(invalid="ignore"):
        return sums + lost


def run_means(values: Floats, starts: Places, sizes: Places, counts: NDArray[np.int64]) -> Floats:
    """The mean of each run of rows, column by column: as `window_means`, for runs that follow each other."""
    sums, lost = _of_columns(values, starts, starts + sizes)
    if np.isinf(sums).any():
        return window_means(np.ascontiguousarray(values.T), starts, starts + sizes, counts.T).T
    with np.errstate(all="ignore"):
        among = np.maximum(counts, 1)
        means: Floats = sums / among + lost / among
    return means


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
    for part in row_blocks(values):
        found = _of_columns(np.ascontiguousarray(values[part].T), first, last)
        sums[part], lost[part] = (each.T for each in found)
    return sums, lost


def _of_columns(terms: Floats, first: Places, last: Places) -> tuple[Floats, Floats]:
    """The same of windows of rows: terms [T, C] give [W, C] each."""
    windows = _Windows(Segments.of(first, last), first, last)
    with np.errstate(all="ignore"):
        greatest = max(terms.max(initial=0.0), -terms.min(initial=0.0))
        if np.isfinite(greatest):
            return windows.sums(terms, greatest)
        finite = np.isfinite(terms)
        some = np.where(finite, terms, 0.0)
        sums, lost = windows.sums(some, np.abs(some).max())
        return sums + windows.plain(np.where(finite, 0.0, terms)), lost


@dataclass(frozen=True)
class _Windows:
    """Windows of rows: their segments, and where they begin and end, shape [W]."""

    segments: Segments
    first: Places
    last: Places

    @property
    def longest(self) -> int:
        return int((self.last - self.first).max(initial=0))

    def sums(self, terms: Floats, greatest: np.float64) -> tuple[Floats, Floats]:
        """Of finite terms [T, C], none of which is greater."""
        sums, lost, _, sure = self._rounded(terms, greatest)
        columns = np.flatnonzero(~sure.all(axis=0))
        if len(columns):
            sums[:, columns], lost[:, columns] = self._each_by_its_own(np.ascontiguousarray(terms[:, columns]))
        return sums, lost

    def _each_by_its_own(self, terms: Floats) -> tuple[Floats, Floats]:
        """Of columns some of whose sums are far below the greatest term of all; term by term where that is needed."""
        sums, lost, cut, sure = self._rounded(terms, np.abs(terms).max(axis=0))
        if not sure.all():
            sure |= (self.plain((cut != 0).astype(float)) == 0) & np.isfinite(sums)  # then nothing has been rounded
            windows, columns = np.nonzero(~sure)
            if len(windows):
                found = _one_by_one(terms.T, columns, self.first[windows], self.last[windows])
                sums[windows, columns], lost[windows, columns] = found
        return sums, lost

    def _rounded(self, terms: Floats, greatest: Floats | np.float64) -> tuple[Floats, Floats, Floats, Mask]:
        """Sums of terms rounded so coarsely that no addition rounds any more, and of what that has cut off.

        After Rump, Ogita and Oishi (2008), "Accurate floating-point summation": adding a number as great as all terms
        together, and taking it away again, leaves of each term the digits that they can have in common.

        Returns:
            Both, [W, C]; what was cut off the terms, [T, C]; and which sums are certainly right to the last digit.
        """
        common = np.frexp(greatest)[1] + (self.longest + 1).bit_length()
        fits = common <= _MOST_EXPONENT
        above = np.ldexp(1.0, np.where(fits, common, 0))
        rounded = terms + above
        rounded -= above
        sums = self.plain(rounded)
        cut = np.subtract(terms, rounded, out=rounded)
        lost = self.plain(cut)
        enough = np.ldexp(float(self.longest) ** 2, common - 2 * _DIGITS + _SPARE)
        return sums, lost, cut, ((np.abs(sums) >= enough) | (greatest == 0)) & fits

    def plain(self, terms: Floats) -> Floats:
        """Sums [W, C] without care of terms [T, C]: a run of 1, 2, 4 … segments for each binary digit of how many."""
        begin, count = self.segments.begin.copy(), self.segments.count
        sums = np.zeros((len(count), terms.shape[1]))
        if len(self.segments.edges) < 2:
            return sums
        run, reach, most = self.segments.reduced(np.add, terms), 1, int(count.max())
        while reach <= most:
            some = np.flatnonzero(count & reach)
            sums[some] += run[begin[some]]
            begin[some] += reach
            run = run[:-reach] + run[reach:]
            reach *= 2
        return sums


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
