"""The formats of a page: how they are asked for, and how all of them write a number. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class PageFormat:
    """How a page is written.

    Attributes:
        content_type: The header that says so.
        openmetrics: OpenMetrics 1.0 and not Prometheus's text.
        protobuf: Delimited protobuf messages and no text.
        quoted_names: Names may hold any character, in quotes; otherwise what is not classic becomes `_`.
    """

    content_type: str
    openmetrics: bool = False
    protobuf: bool = False
    quoted_names: bool = False


TEXT = PageFormat("text/plain; version=0.0.4; charset=utf-8")
UTF8_TEXT = PageFormat("text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8", quoted_names=True)
OPENMETRICS = PageFormat("application/openmetrics-text; version=1.0.0; charset=utf-8", openmetrics=True)
_MESSAGES = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
PROTOBUF = PageFormat(f"{_MESSAGES}; escaping=underscores", protobuf=True)
UTF8_PROTOBUF = PageFormat(f"{_MESSAGES}; escaping=allow-utf-8", protobuf=True, quoted_names=True)


def negotiate(accept: str, *, protobuf: bool = False) -> PageFormat:
    """The format that an Accept header likes best, as Prometheus's client libraries choose.

    The greatest weight wins, of equal ones the first. Whoever names nothing that there is gets text 0.0.4: people with
    browsers, and scrapers older than the header.

    Args:
        accept: The header.
        protobuf: Whether that can be had too.
    """
    best, best_weight = TEXT, 0.0
    for clause in accept.split(","):
        kind, *parameters = clause.lower().split(";")
        told = {}
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            told[key.strip()] = value.strip().strip('"')
        offered, weight = _offered(kind.strip(), told, protobuf=protobuf), _weight(told.get("q", "1"))
        if offered is not None and weight > best_weight:
            best, best_weight = offered, weight
    return best


def format_float(value: float) -> str:
    """A number as Prometheus writes it: the shortest that reads back."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value).removesuffix(".0")


def canonical_float(value: float) -> str:
    """A number as OpenMetrics writes it canonically, in label values too: 0.25, 1.0, 2.5e+06, +Inf."""
    if math.isnan(value) or math.isinf(value):
        return format_float(value)
    if value == 0:
        return "0.0"
    if 1e-4 <= abs(value) < 1e6:
        return repr(float(value))
    return next(text for digits in range(18) if float(text := f"{value:.{digits}e}") == value)


def _offered(kind: str, told: dict[str, str], *, protobuf: bool) -> PageFormat | None:
    version = told.get("version", "")
    if kind == "application/vnd.google.protobuf":
        message, encoding = told.get("proto"), told.get("encoding")
        if not protobuf or message != "io.prometheus.client.metricfamily" or encoding != "delimited":
            return None
        return UTF8_PROTOBUF if told.get("escaping") == "allow-utf-8" else PROTOBUF
    if kind == "application/openmetrics-text":
        return OPENMETRICS if version in ("", "1.0.0") else None
    if kind == "text/plain" and version == "1.0.0":
        return UTF8_TEXT if told.get("escaping") == "allow-utf-8" else TEXT
    return TEXT if kind == "text/plain" and version in ("", "0.0.4") else None


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
