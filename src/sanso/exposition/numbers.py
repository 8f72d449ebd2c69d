"""How a float is spelt in exposition texts and in the labels `le` and `quantile`."""

from __future__ import annotations

import math

_PLAIN_FROM = -4
_PLAIN_BELOW = 6


def format_float(value: float) -> str:
    """The shortest spelling that reads back as the same float, as Prometheus (Go) writes it.

    `1`, `0.25`, `1e+06`, `1e-05`, `+Inf`, `-Inf`, `NaN`.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    digits, power = _digits(abs(value))
    if power < _PLAIN_FROM or power >= _PLAIN_BELOW:
        point = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{point}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    whole = digits[: power + 1].ljust(power + 1, "0")
    rest = digits[power + 1 :]
    return f"{sign}{whole}.{rest}" if rest else sign + whole


def _digits(value: float) -> tuple[str, int]:
    """Significant digits without trailing zeros, and the power of ten of the first one."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = len(whole) - 1 + int(exponent or "0")
    digits = whole + fraction
    leading = len(digits) - len(digits.lstrip("0"))
    return digits[leading:].rstrip("0") or "0", power - leading if digits.strip("0") else 0
