"""YAML as Prometheus's configuration has it: scalars are texts, a key stands once, every field has its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sanso.model.errors import ConfigError
from sanso.rules.places import Document

_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


def read_yaml(path: Path) -> Document:
    """Read a file.

    Raises:
        ConfigError: It cannot be read, is not YAML, or says something twice.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(str(path), f"cannot be read: {reason}") from error
    document = Document(str(path), None)
    try:
        root = _first(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(str(path), f"is not YAML: {error.problem}", line) from error
    except yaml.YAMLError as error:
        raise ConfigError(str(path), f"is not YAML: {error}") from error
    document.tree = _Walk(document).value(root, "") if root is not None else None
    return document


def _first(text: str) -> yaml.Node | None:
    """The first document; what comes after it is passed over, as Prometheus does."""
    loader = yaml.SafeLoader(text)
    try:
        return loader.get_node() if loader.check_node() else None
    finally:
        loader.dispose()


class _Walk:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._inside: set[int] = set()

    def value(self, node: yaml.Node, place: str) -> Any:
        """Plain values of a node, and the line of each field."""
        if isinstance(node, yaml.ScalarNode):
            return None if node.style is None and node.value in _NOTHING else node.value
        if id(node) in self._inside:
            raise self._document.error(place, "an alias that holds itself")
        self._inside.add(id(node))
        try:
            return self._sequence(node, place) if isinstance(node, yaml.SequenceNode) else self._mapping(node, place)
        finally:
            self._inside.remove(id(node))

    def _sequence(self, node: yaml.SequenceNode, place: str) -> list[Any]:
        found = []
        for number, item in enumerate(node.value):
            inner = f"{place}.{number}" if place else str(number)
            self._document.lines.setdefault(inner, item.start_mark.line + 1)
            found.append(self.value(item, inner))
        return found

    def _mapping(self, node: yaml.Node, place: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, item in node.value:
            name = str(key.value)
            inner = f"{place}.{name}" if place else name
            if key.tag == "tag:yaml.org,2002:merge":
                parts = item.value if isinstance(item, yaml.SequenceNode) else [item]
                for part in reversed(parts):
                    merged.update(self.value(part, place) or {})
                continue
            if name in found:
                raise ConfigError(self._document.path, "stands twice", key.start_mark.line + 1, inner)
            self._document.lines[inner] = key.start_mark.line + 1
            found[name] = self.value(item, inner)
        return {**merged, **found}
