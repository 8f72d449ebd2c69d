from __future__ import annotations

import numpy as np

from sanso.promql.row_blocks import row_blocks


def test_every_row_is_in_one_block() -> None:
    for shape in [(0, 5), (3, 0), (1, 1), (7, 1 << 18), (5000, 300)]:
        values = np.empty(shape)
        rows = [row for block in row_blocks(values) for row in range(shape[0])[block]]
        assert rows == list(range(shape[0]))


def test_a_block_is_small_or_a_single_row() -> None:
    values = np.empty((5000, 300))
    assert all(values[block].nbytes <= 1 << 20 for block in row_blocks(values))
    assert [values[0:3, :][block].shape[0] for block in row_blocks(np.empty((3, 1 << 20)))] == [1, 1, 1]
