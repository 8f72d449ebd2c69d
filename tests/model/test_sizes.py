from __future__ import annotations

import pytest

from sanso.model.sizes import parse_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("512MB", 512 << 20), ("10GB", 10 << 30), ("1.5GiB", 3 << 29), ("100", 100), ("7k", 7 << 10), ("2 TB", 2 << 40)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1MB", "1PB", "1 2"])
def test_what_is_not_a_size_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_bytes(text)
