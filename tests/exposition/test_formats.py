"""Which format an Accept header gets, and how numbers are written."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.exposition.formats import (
    OPENMETRICS,
    PROTOBUF,
    TEXT,
    UTF8_PROTOBUF,
    UTF8_TEXT,
    PageFormat,
    format_float,
    negotiate,
)

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3_TEXT_FIRST = (
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,"
    "text/plain;version=0.0.4;q=0.4,*/*;q=0.3"
)
PROTOBUF_FIRST = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
        ("text/plain", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("text/plain;version=1.0.0", TEXT),
        ("text/plain; version=1.0.0; escaping=allow-utf-8", UTF8_TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", OPENMETRICS),
        (' Application/OpenMetrics-Text ; Version = "1.0.0" ; q = 0.2', OPENMETRICS),
        ("application/openmetrics-text; version=2.0.0", TEXT),
        ("application/openmetrics-text; version=0.0.1", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=0.5, text/plain", TEXT),
        ("application/openmetrics-text, text/plain", OPENMETRICS),
        ("text/plain, application/openmetrics-text", TEXT),
        ("text/plain;q=0.3, application/openmetrics-text;q=0.31", OPENMETRICS),
        ("application/openmetrics-text;q=x, text/plain;q=0.1", TEXT),
        ("application/openmetrics-text;q=7", TEXT),
        ("application/openmetrics-text;q=nan", TEXT),
        (PROMETHEUS_2, OPENMETRICS),
        (PROMETHEUS_3_TEXT_FIRST, UTF8_TEXT),
        (PROTOBUF_FIRST, TEXT),
    ],
)
def test_negotiation(accept: str, wanted: PageFormat) -> None:
    assert negotiate(accept) is wanted


MESSAGES = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (f"{MESSAGES};encoding=delimited;q=0.6,text/plain;q=0.5,*/*;q=0.2", PROTOBUF),
        (f"{MESSAGES};encoding=delimited;escaping=allow-utf-8", UTF8_PROTOBUF),
        (f"{MESSAGES};encoding=delimited;q=0.4,{PROMETHEUS_2}", OPENMETRICS),
        (PROTOBUF_FIRST, PROTOBUF),
        (f"{MESSAGES};encoding=text", TEXT),
        (MESSAGES, TEXT),
        ("application/vnd.google.protobuf;encoding=delimited", TEXT),
        ("*/*", TEXT),
    ],
)
def test_negotiation_where_protobuf_can_be_had(accept: str, wanted: PageFormat) -> None:
    assert negotiate(accept, protobuf=True) is wanted
    assert not negotiate(accept).protobuf


@given(st.text(st.sampled_from("tex/plain;,q=.109*version openmcs\"'"), max_size=40) | st.text(max_size=20))
def test_any_header_gets_a_format(accept: str) -> None:
    assert negotiate(accept) in (TEXT, UTF8_TEXT, OPENMETRICS)


@given(st.floats())
def test_numbers_are_read_back(value: float) -> None:
    text = format_float(value)
    assert float(text) == value or math.isnan(value)
    assert len(text) <= len(repr(value)) + 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (1e22, "1e+22"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert format_float(value) == text
