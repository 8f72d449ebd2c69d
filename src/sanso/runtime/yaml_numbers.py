"""Whole numbers as Prometheus reads them in its configuration."""

from __future__ import annotations

import re

_BASES = {"0x": 16, "0X": 16, "0o": 8, "0O": 8, "0b": 2, "0B": 2}
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?")
_MOST = (1 << 64) - 1
_LONGEST = 1_000
"""Digits that are not counted in vain."""


def whole(text: str) -> int:
    """What a text is: in base 2, 8 (a 0 before other octal digits too), 10 or 16; of a fraction the whole part.

    Raises:
        ValueError: It is no number, below 0, or of more than 64 bits.
    """
    found = _number(text.replace("_", "")) if text[:1] != "_" else -1
    if not 0 <= found <= _MOST:
        raise ValueError(f"a whole number is expected, not {text!r}")
    return found


def _number(text: str) -> int:
    digits = text.lstrip("+-") if text[:2] not in ("++", "+-", "-+", "--") else ""
    sign = -1 if text.startswith("-") else 1
    base = _BASES.get(digits[:2], 8 if re.fullmatch("0[0-7]+", digits) else 0)
    if base:
        try:
            return sign * int(digits[2:] if digits[:2] in _BASES else digits, base)
        except ValueError:
            return -1
    if digits.isascii() and digits.isdigit():
        return sign * int(digits) if len(digits) < _LONGEST else -1
    if not _DECIMAL.fullmatch(text):
        return -1
    found = float(text)
    return int(found) if -1 < found <= _MOST else -1
