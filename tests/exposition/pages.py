"""Pages that the tests share: what they mean as samples, and strategies that make them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from sanso.exposition.page import NO_TIME, Page, Sample
from sanso.model.labels import NAME, Labels, labels_of
from sanso.model.native_histogram import COMPONENT

NODE_EXPORTER = Path(__file__).resolve().parents[3] / "shared" / "data" / "node_exporter.prom"

names = st.from_regex(r"[a-z_:][a-z0-9_:]{0,8}", fullmatch=True)
label_names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,6}", fullmatch=True).filter(lambda name: name != NAME)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
quoted_names = texts.filter(lambda name: name not in ("", NAME, COMPONENT))
values = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(10**6), 10**6).map(float)
times = st.none() | st.integers(-(10**15), 10**15)


def series(
    name: st.SearchStrategy[str] = names, keys: st.SearchStrategy[str] = label_names
) -> st.SearchStrategy[Labels]:
    """Label sets with a name."""
    pairs = st.dictionaries(keys, texts, max_size=4)
    return st.builds(lambda own, labels: labels_of({NAME: own, **labels}), name, pairs)


def told(page: Page) -> dict[Labels, tuple[float | str, int | None]]:
    """Value (NaN as a text, so that it compares) and time of each series."""
    stamps = page.times if page.times is not None else np.full(len(page.row.values), NO_TIME)
    cells = zip(page.row.columns.labels, page.row.values.tolist(), stamps.tolist(), strict=True)
    return {labels: (_comparable(value), None if time == NO_TIME else time) for labels, value, time in cells}


def meant(samples: list[Sample]) -> dict[Labels, tuple[float | str, int | None]]:
    """The same of samples that were rendered."""
    return {labels: (_comparable(value), time) for labels, value, time in samples}


def _comparable(value: float) -> float | str:
    return "NaN" if math.isnan(value) else value
