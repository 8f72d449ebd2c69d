"""Native histograms as bundles of columns: which labels a histogram's parts have in a frame.

A native histogram is not one cell but several columns that share every label but one: `COMPONENT` names the part.
So the store keeps histograms as it keeps anything (buckets are counts, and counts compress), and rates, sums and
quantiles stay matrix operations. Whoever reads series for people hides the label; whoever evaluates puts bundles
together again.

Parts of one histogram, `x{…}` standing for its own labels:

    x{…, __hist__="count"}            observations
    x{…, __hist__="sum"}              their sum
    x{…, __hist__="zero"}             observations in the zero bucket
    x{…, __hist__="zero_threshold"}   the zero bucket's half width
    x{…, __hist__="gauge"}            1 where the histogram goes up and down; absent for counters
    x{…, __hist__="s5:17"}            positive bucket: schema 5, index 17 (Prometheus's: upper bound base ** index)
    x{…, __hist__="s5:-3n"}           negative bucket: schema 5, index -3
    x{…, __hist__="le:0.25"}          custom bucket (schema -53) up to 0.25; `le:+Inf` is the last

Bucket columns hold the bucket's own observations, not cumulated. A row has a histogram where `count` is present; a
bucket that is absent in such a row is empty. A row that ends the series has stale markers in all of them.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from sanso.model.labels import Labels, labels_of, value_of, without

COMPONENT = "__hist__"

Sign: TypeAlias = Literal["", "n"]


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
