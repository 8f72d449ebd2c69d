from __future__ import annotations

import pytest

from sanso.runtime.yaml_numbers import whole

READ = {
    "5": 5, "0": 0, "017": 15, "08": 8, "1.5": 1, "0b11": 3, "0o17": 15, "1_000": 1000, "1e3": 1000, "+5": 5, "-0": 0,
    ".5": 0, "0x1_0": 16, "1__0": 10, "1e-1": 0, "-0.5": 0, "0X10": 16, "1.9999": 1, "18446744073709551615": 2**64 - 1,
    "0777_7": 4095, "09.5": 9, "1_0.5": 10, "0o_7": 7, "-0x0": 0, "+0x5": 5, "1E2": 100, "1e19": 10**19, "1_": 1,
}  # fmt: skip
"""As Prometheus 3.16 shows them under `status/config`."""


@pytest.mark.parametrize(("text", "value"), READ.items())
def test_what_prometheus_reads(text: str, value: int) -> None:
    assert whole(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "-1", "99999999999999999999", "0x", "0o8", "true", "inf", ".inf", ".nan", "_1", "1e400", "x", "1 0", "--1",
        "9" * 5_000, "1e99999", "1,5", "\N{ARABIC-INDIC DIGIT THREE}",
    ],
)  # fmt: skip
def test_what_prometheus_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="a whole number is expected, not"):
        whole(text)
