"""Native histograms in scripts: the literal `{{schema:0 sum:5 count:4 buckets:[1 2 1]}}`, and their sum."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from sanso.model.native_histogram import CUSTOM_SCHEMA, Buckets, Hint, NativeHistogram

_ITEM = re.compile(r"(\w+):(\[[^\]]*\]|\S+)")
_HINTS = {"unknown": Hint.UNKNOWN, "reset": Hint.RESET, "not_reset": Hint.NO_RESET, "gauge": Hint.GAUGE}
_KNOWN = {
    "schema", "sum", "count", "buckets", "offset", "z_bucket", "z_bucket_w", "n_buckets", "n_offset", "custom_values",
    "counter_reset_hint",
}  # fmt: skip


def literal(text: str) -> NativeHistogram:
    """The histogram between `{{` and `}}`."""
    found = dict(_ITEM.findall(text))
    unknown = set(found) - _KNOWN
    if unknown:
        raise ValueError(f"unknown in a histogram: {', '.join(sorted(unknown))}")
    number = {key: float(found.get(key, "0")) for key in ("sum", "count", "z_bucket", "z_bucket_w")}
    return NativeHistogram(
        schema=int(found.get("schema", "0")),
        count=number["count"],
        sum=number["sum"],
        zero_count=number["z_bucket"],
        zero_threshold=number["z_bucket_w"],
        positive=_buckets(found.get("buckets", "[]"), int(found.get("offset", "0"))),
        negative=_buckets(found.get("n_buckets", "[]"), int(found.get("n_offset", "0"))),
        bounds=tuple(_numbers(found.get("custom_values", "[]"))),
        hint=_HINTS[found.get("counter_reset_hint", "unknown")],
    )


def _numbers(text: str) -> list[float]:
    return [float(item) for item in text.strip("[]").split()]


def _buckets(text: str, offset: int) -> Buckets:
    return tuple((offset + place, count) for place, count in enumerate(_numbers(text)) if count)


def added(left: NativeHistogram, right: NativeHistogram, sign: float = 1.0) -> NativeHistogram:
    """Left plus (or minus) right, in the coarser schema and the wider zero bucket."""
    if (left.schema == CUSTOM_SCHEMA) != (right.schema == CUSTOM_SCHEMA) or left.bounds != right.bounds:
        raise ValueError("these histograms cannot be added")
    schema, width = min(left.schema, right.schema), max(left.zero_threshold, right.zero_threshold)
    first, second = _coarser(left, schema, width), _coarser(right, schema, width)
    return replace(
        first,
        count=first.count + sign * second.count,
        sum=first.sum + sign * second.sum,
        zero_count=first.zero_count + sign * second.zero_count,
        positive=_merged(first.positive, second.positive, sign),
        negative=_merged(first.negative, second.negative, sign),
        hint=_hint(left.hint, right.hint),
    )


def _hint(left: Hint, right: Hint) -> Hint:
    if left == right:
        return left
    return Hint.GAUGE if Hint.GAUGE in (left, right) else Hint.UNKNOWN


def _coarser(histogram: NativeHistogram, schema: int, width: float) -> NativeHistogram:
    if histogram.schema == CUSTOM_SCHEMA:
        return histogram
    steps = histogram.schema - schema
    base, zero = 2.0 ** (2.0**-schema), histogram.zero_count
    sides: list[Buckets] = []
    for side in (histogram.positive, histogram.negative):
        kept: dict[int, float] = {}
        for index, count in side:
            place = ((index - 1) >> steps) + 1
            if base**place <= width:
                zero += count
            else:
                kept[place] = kept.get(place, 0.0) + count
        sides.append(tuple(sorted(kept.items())))
    return replace(
        histogram, schema=schema, zero_count=zero, zero_threshold=width, positive=sides[0], negative=sides[1]
    )


def _merged(left: Buckets, right: Buckets, sign: float) -> Buckets:
    counts = dict(left)
    for index, count in right:
        counts[index] = counts.get(index, 0.0) + sign * count
    return tuple(sorted((index, count) for index, count in counts.items() if count))


def alike(expected: NativeHistogram, got: NativeHistogram) -> bool:
    """Whether they are the same but for empty buckets, hints and a millionth."""
    if expected.schema != got.schema or expected.bounds != got.bounds or expected.zero_threshold != got.zero_threshold:
        return False
    numbers = [(expected.count, got.count), (expected.sum, got.sum), (expected.zero_count, got.zero_count)]
    for one, other in ((expected.positive, got.positive), (expected.negative, got.negative)):
        mine, yours = dict(one), dict(other)
        numbers += [(mine.get(place, 0.0), yours.get(place, 0.0)) for place in mine.keys() | yours.keys()]
    return all(close(one, other) for one, other in numbers)


def close(expected: float, got: float, tolerance: float = 1e-6) -> bool:
    """Prometheus's "almost equal": relative, and nearly exact next to zero."""
    if math.isnan(expected) or math.isnan(got):
        return math.isnan(expected) and math.isnan(got)
    if expected == got:
        return True
    least = 2.2250738585072014e-308
    total, apart = abs(expected) + abs(got), abs(expected - got)
    if expected == 0 or got == 0 or total < least:
        return apart < tolerance * least
    return apart / min(total, 1.7976931348623157e308) < tolerance
