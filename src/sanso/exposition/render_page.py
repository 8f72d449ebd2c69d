"""Samples as a page of whichever format was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sanso.exposition.classic_names import with_classic_names
from sanso.exposition.formats import PageFormat
from sanso.exposition.page import Sample
from sanso.exposition.render import render_text
from sanso.exposition.render_openmetrics import render_openmetrics
from sanso.model.frame import Family


def render_page(series: Iterable[Sample], families: Mapping[str, Family], wanted: PageFormat) -> str:
    """The page.

    Args:
        series: Labels, value, and time in ms (None: no time).
        families: Types and help texts by metric name, as series carry it.
        wanted: The format, by `negotiate`.
    """
    if wanted.openmetrics:
        return render_openmetrics(series, families)
    if wanted.quoted_names:
        return render_text(series, families)
    return render_text(*with_classic_names(series, families))
