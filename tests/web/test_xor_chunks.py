from __future__ import annotations

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.frame import STALE
from sanso.web.xor_chunks import xor_chunks


class Bits:
    """Reads a chunk as Prometheus documents it."""

    def __init__(self, data: bytes) -> None:
        self.bits = "".join(f"{byte:08b}" for byte in data)
        self.place = 0

    def take(self, width: int) -> int:
        assert self.place + width <= len(self.bits), "the chunk ends too early"
        found = int(self.bits[self.place : self.place + width] or "0", 2)
        self.place += width
        return found

    def unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(8)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def signed(self) -> int:
        value = self.unsigned()
        return value >> 1 if not value & 1 else -((value + 1) >> 1)

    def change(self) -> int:
        marks = 0
        while marks < 4 and self.take(1):
            marks += 1
        width = (0, 14, 17, 20, 64)[marks]
        value = self.take(width) if width else 0
        if width == 64:
            return value - (1 << 64) if value >> 63 else value
        return value - (1 << width) if width and value > 1 << (width - 1) else value


def decoded(chunk: bytes) -> list[tuple[int, int]]:
    """Times and bits of values."""
    (count,) = struct.unpack(">H", chunk[:2])
    bits = Bits(chunk[2:])
    time, value = bits.signed(), bits.take(64)
    found, step = [(time, value)], 0
    leading = width = 0
    for number in range(1, count):
        step = bits.unsigned() if number == 1 else step + bits.change()
        time += step
        if bits.take(1):
            if bits.take(1):
                leading, width = bits.take(5), bits.take(6) or 64
            value ^= bits.take(width) << (64 - leading - width)
        found.append((time, value))
    assert len(bits.bits) - bits.place < 8
    return found


times = st.lists(st.integers(-(10**13), 10**13), min_size=1, max_size=400, unique=True).map(sorted)
regular = st.tuples(st.integers(0, 2**41), st.integers(1, 10**6), st.integers(1, 400)).map(
    lambda given: [given[0] + given[1] * i for i in range(given[2])]
)


@given(st.one_of(times, regular), st.data())
def test_a_series_reads_back_bit_by_bit(stamps: list[int], data: st.DataObject) -> None:
    value = st.one_of(st.floats(), st.integers(0, 1000).map(float), st.sampled_from([0.0, -0.0, STALE, 1.5]))
    cells = np.array(data.draw(st.lists(value, min_size=len(stamps), max_size=len(stamps))))
    cells[::7] = STALE  # np.array keeps a NaN's bits only where nothing is computed
    found: list[tuple[int, int]] = []
    for first, last, chunk in xor_chunks(np.array(stamps, dtype=np.int64), cells):
        read = decoded(chunk)
        assert (read[0][0], read[-1][0]) == (first, last)
        assert len(read) <= 120
        found += read
    assert found == list(zip(stamps, cells.view(np.uint64).tolist(), strict=True))


def test_a_steady_series_takes_two_bits_a_sample() -> None:
    stamps = np.arange(120, dtype=np.int64) * 15_000 + 1_790_000_000_000
    ((_, _, chunk),) = xor_chunks(stamps, np.full(120, 7.0))
    assert len(chunk) < 2 + 6 + 8 + 3 + 30
