"""Target groups as files and servers give them, checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from sanso.model.errors import SourceError
from sanso.model.labels import Labels, labels_of
from sanso.sources.scrape.settings import TargetGroup
from sanso.sources.scrape.target import ADDRESS

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Every scalar is a text, as label values are: `version: 1.10` stays 1.10."""


def groups_of_file(path: Path) -> list[TargetGroup]:
    """The groups of a JSON or YAML file.

    Raises:
        SourceError: It cannot be read, or holds something else.
    """
    try:
        text = path.read_text("utf-8")
        tree = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=_Loader)
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error
    return groups_of(tree or [], str(path), (("__meta_filepath", str(path)),))


def groups_of(tree: Any, source: str, more: Sequence[tuple[str, str]]) -> list[TargetGroup]:
    """The groups of a plain tree: `[{"targets": ["host:port"], "labels": {…}}]`.

    Args:
        tree: What was read.
        source: Where it was read.
        more: Labels that all groups get.

    Raises:
        SourceError: It is something else.
    """
    if not isinstance(tree, list):
        raise SourceError(f"{source}: a list of groups with targets and labels is expected")
    groups = []
    for number, group in enumerate(tree):
        place = f"{source}: group {number}"
        if not isinstance(group, dict) or set(group) - {"targets", "labels"}:
            raise SourceError(f"{place}: an object with targets and labels is expected, and nothing else")
        addresses = group.get("targets") or []
        labels = group.get("labels") or {}
        if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
            raise SourceError(f"{place}: targets must be a list of texts")
        if not isinstance(labels, dict) or not all(isinstance(x, str) for pair in labels.items() for x in pair):
            raise SourceError(f"{place}: labels must be texts by name")
        if "" in labels:
            raise SourceError(f"{place}: a label without a name")
        targets: list[Labels] = [((ADDRESS, address),) for address in addresses]
        groups.append(TargetGroup(f"{source}:{number}", tuple(targets), labels_of({**labels, **dict(more)})))
    return groups
