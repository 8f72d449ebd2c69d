"""Points of series written in the plain way, to compare with."""

from __future__ import annotations

from collections.abc import Sequence

from sanso.model.frame import Floats, is_absent
from sanso.web.number_text import number


def one_by_one(values: Floats, times: Sequence[bytes]) -> list[bytes]:
    """`[time,"value"],…` of each row, a number at a time; absent cells are left out."""
    return [
        b",".join(
            b'[%b,"%b"]' % (time, number(value).encode())
            for time, value, nothing in zip(times, row.tolist(), is_absent(row).tolist(), strict=True)
            if not nothing
        )
        for row in values
    ]
