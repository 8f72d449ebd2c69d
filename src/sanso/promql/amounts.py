"""Numbers and durations as a question spells them."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_PART = re.compile(r"(\d+)(ms|[smhdwy])")


def amount(spelled: str) -> float:
    """What a number is, or a duration in seconds; infinite where a float does not hold it.

    Raises:
        ValueError: It is a hexadecimal number of more than 63 bits.
    """
    digits = spelled.replace("_", "").lower()
    if digits.startswith("0x"):
        whole = digits[2:].lstrip("0")
        if len(whole) > 16 or (len(whole) == 16 and whole[0] >= "8"):
            raise ValueError("invalid syntax")
        return int(whole or "0", 16)
    if digits[-1].isalpha():
        return sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(digits))
    return float(digits)
