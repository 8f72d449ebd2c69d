"""Native histograms: one as a plain value, and the bundle of columns that it is in a frame.

A native histogram is not one cell but several columns that share every label but one: `COMPONENT` names the part.
So the store keeps histograms as it keeps anything (buckets are counts, and counts compress), and rates, sums and
quantiles stay matrix operations. Whoever reads series for people hides the label; whoever evaluates puts bundles
together again.

Parts of one histogram, `x{…}` standing for its own labels:

    x{…, __hist__="schema"}           -4…8 for exponential buckets, -53 for custom ones
    x{…, __hist__="count"}            observations
    x{…, __hist__="sum"}              their sum
    x{…, __hist__="zero"}             observations in the zero bucket; absent where there are none
    x{…, __hist__="zero_threshold"}   the zero bucket's half width; absent where it is 0
    x{…, __hist__="hint"}             a `Hint` but UNKNOWN, for which it is absent
    x{…, __hist__="s5:17"}            positive bucket: schema 5, index 17 (Prometheus's: upper bound base ** index)
    x{…, __hist__="s5:-3n"}           negative bucket: schema 5, index -3
    x{…, __hist__="le:0.25"}          custom bucket (schema -53) up to 0.25; `le:+Inf` is the last

Bucket columns hold the bucket's own observations, not cumulated. A row has a histogram where `schema` is present; an
exponential bucket that is absent in such a row is empty; custom buckets are all present, so that bounds are known. A
row that ends the series has stale markers in all parts that the series had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, TypeAlias

from sanso.model.labels import Labels, labels_of, value_of, without

COMPONENT = "__hist__"
CUSTOM_SCHEMA = -53
COARSEST_SCHEMA, FINEST_SCHEMA = -4, 8

Sign: TypeAlias = Literal["", "n"]
Buckets: TypeAlias = tuple[tuple[int, float], ...]
"""Index and observations, rising; without empty buckets."""


class Hint(IntEnum):
    """What is known of a counter reset before this sample; Prometheus's numbers."""

    UNKNOWN = 0
    RESET = 1
    NO_RESET = 2
    GAUGE = 3


@dataclass(frozen=True)
class NativeHistogram:
    """One native histogram.

    Attributes:
        schema: -4…8: bucket i reaches from base^(i-1) (exclusive) to base^i (inclusive), base = 2^(2^-schema);
            -53: custom bounds.
        count: Observations; fractions where it is computed.
        sum: Of the observations.
        zero_count: Observations within the zero bucket.
        zero_threshold: Its half width.
        positive: Buckets; of a custom schema bucket i reaches to `bounds[i]`, the last to +Inf.
        negative: Likewise for observations below zero; empty with a custom schema.
        bounds: Upper bounds of a custom schema, rising, without +Inf.
        hint: Of a counter reset.
    """

    schema: int
    count: float
    sum: float
    zero_count: float = 0.0
    zero_threshold: float = 0.0
    positive: Buckets = ()
    negative: Buckets = ()
    bounds: tuple[float, ...] = ()
    hint: Hint = Hint.UNKNOWN


def parts(histogram: NativeHistogram) -> dict[str, float]:
    """The value of each part that is present: what a row holds of the histogram."""
    found = {"schema": float(histogram.schema), "count": histogram.count, "sum": histogram.sum}
    if histogram.zero_count:
        found["zero"] = histogram.zero_count
    if histogram.zero_threshold:
        found["zero_threshold"] = histogram.zero_threshold
    if histogram.hint is not Hint.UNKNOWN:
        found["hint"] = float(histogram.hint)
    if histogram.schema == CUSTOM_SCHEMA:
        held = dict(histogram.positive)
        for index, upper in enumerate((*histogram.bounds, float("inf"))):
            found[custom_part(upper)] = held.get(index, 0.0)
        return found
    for index, count in histogram.positive:
        found[bucket_part(histogram.schema, index)] = count
    for index, count in histogram.negative:
        found[bucket_part(histogram.schema, index, "n")] = count
    return found


def whole(found: Mapping[str, float]) -> NativeHistogram:
    """The histogram of the parts that a row has; the inverse of `parts`, but for empty buckets."""
    schema = int(found["schema"])
    positive: list[tuple[int, float]] = []
    negative: list[tuple[int, float]] = []
    bounds: tuple[float, ...] = ()
    if schema == CUSTOM_SCHEMA:
        uppers = sorted((float(part[3:]), count) for part, count in found.items() if part.startswith("le:"))
        bounds = tuple(upper for upper, _ in uppers[:-1])
        positive = [(index, count) for index, (_, count) in enumerate(uppers)]
    else:
        prefix = f"s{schema}:"
        for part, count in found.items():
            if part.startswith(prefix):
                index = int(part[len(prefix) :].removesuffix("n"))
                (negative if part.endswith("n") else positive).append((index, count))
    return NativeHistogram(
        schema,
        found.get("count", 0.0),
        found.get("sum", 0.0),
        found.get("zero", 0.0),
        found.get("zero_threshold", 0.0),
        tuple(sorted((index, count) for index, count in positive if count)),
        tuple(sorted((index, count) for index, count in negative if count)),
        bounds,
        Hint(int(found.get("hint", 0.0))),
    )


def component(labels: Labels, part: str) -> Labels:
    """The labels of one part of a histogram."""
    return labels_of((*labels, (COMPONENT, part)))


def bucket_part(schema: int, index: int, sign: Sign = "") -> str:
    """The part that is an exponential bucket; `sign` n for observations below zero."""
    return f"s{schema}:{index}{sign}"


def custom_part(upper: float) -> str:
    """The part that is a custom bucket."""
    return f"le:{'+Inf' if upper == float('inf') else repr(upper)}"


def part_of(labels: Labels) -> str:
    """The part that a column is; empty for a column of plain floats."""
    return value_of(labels, COMPONENT)


def plain(labels: Labels) -> Labels:
    """The labels as people know the series."""
    return without(labels, (COMPONENT,))
