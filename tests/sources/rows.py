"""Rows as dictionaries, and folders that look like /proc."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sanso.model.frame import Row, is_absent
from sanso.model.labels import render


def values(row: Row | None) -> dict[str, float]:
    """Value by series as people write it; absent ones left out."""
    assert row is not None
    gone = is_absent(np.ascontiguousarray(row.values))
    assert len(set(row.columns.labels)) == len(row.columns.labels), "no two columns are alike"
    assert len(row.columns.labels) == len(row.values)
    return {render(labels): float(row.values[i]) for i, labels in enumerate(row.columns.labels) if not gone[i]}


def folder(root: Path, **files: str) -> Path:
    """Files by path; `__` in a name stands for a slash, `_dot_` for a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
