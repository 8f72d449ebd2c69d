"""What a question says beside its answer where histograms are in it, in Prometheus's words."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sanso.promql.histograms.merging import MIXED


class Note(NamedTuple):
    """A warning or an info."""

    level: Literal["warning", "info"]
    text: str


def _warning(beginning: str, name: str) -> Note:
    return Note("warning", f'{beginning} "{name}"')


def _info(beginning: str, name: str) -> Note:
    return Note("info", f'{beginning} "{name}"')


def mixed_samples(name: str) -> Note:
    """A range has floats and histograms."""
    return _warning("encountered a mix of histograms and floats for metric name", name)


def mixed_in_aggregation() -> Note:
    """A group has floats and histograms."""
    return Note("warning", "encountered a mix of histograms and floats for aggregation")


def mixed_with_classic(name: str) -> Note:
    """A histogram is there in both forms."""
    return _warning("vector contains a mix of classic and native histograms for metric name", name)


def not_a_counter(name: str) -> Note:
    """A function of counters had a gauge."""
    return _warning("this native histogram metric is not a counter:", name)


def not_a_gauge(name: str) -> Note:
    """A function of gauges had a counter."""
    return _warning("this native histogram metric is not a gauge:", name)


def incompatible(outcome: int, name: str) -> Note:
    """Histograms that cannot be added: what `merging` found."""
    kind = "histograms with incompatible custom buckets"
    if outcome == MIXED:
        kind = "a mix of histograms with exponential and custom buckets schemas"
    return _warning(f"vector contains {kind} for metric name", name)


def incompatible_layout(operator: str) -> Note:
    """An operator had histograms that cannot be added."""
    return Note("warning", f"incompatible bucket layout encountered for binary operator {operator}")


def incompatible_types(left: str, operator: str, right: str) -> Note:
    """An operator had what it cannot combine; `left` and `right` are float or histogram."""
    text = f'incompatible sample types encountered for binary operator "{operator}": {left} {operator} {right}'
    return Note("info", text)


def ignored_in_aggregation(aggregation: str) -> Note:
    """An aggregation had histograms and cannot use them."""
    return Note("info", f"ignored histogram in {aggregation} aggregation")


def ignored_in_range(name: str) -> Note:
    """A function of floats had histograms among them."""
    return _info("ignored histograms in a range containing both floats and histograms for metric name", name)


def quantile_unreached(name: str) -> Note:
    """A quantile lies where observations are not numbers."""
    return _info("input to histogram_quantile has NaN observations, result is NaN for metric name", name)


def quantile_skewed(name: str) -> Note:
    """Observations that are not numbers count as high ones."""
    return _info("input to histogram_quantile has NaN observations, result is skewed higher for metric name", name)


def fraction_partial(name: str) -> Note:
    """Observations that are not numbers are in no fraction."""
    excluded = "which are excluded from all fractions for metric name"
    return _info(f"input to histogram_fraction has NaN observations, {excluded}", name)
