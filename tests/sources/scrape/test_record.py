from __future__ import annotations

import struct

import numpy as np

from sanso.model.frame import ABSENT, ABSENT_BITS, STALE, is_absent, is_stale
from sanso.sources.scrape.record import _guarded


def test_a_nan_of_our_own_bits_is_an_ordinary_one_and_others_stay() -> None:
    other = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000123))[0]
    values = np.array([1.0, ABSENT, STALE, other, np.inf, -np.inf])
    found = _guarded(values)
    assert not is_absent(found).any()
    assert np.isnan(found[1])
    assert is_stale(found).tolist() == [False, False, True, False, False, False]
    assert found.view(np.uint64)[3] == 0x7FF8000000000123
    assert values.view(np.uint64)[1] == ABSENT_BITS
    plain = np.array([1.0, 2.0])
    assert _guarded(plain) is plain
