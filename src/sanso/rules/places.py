"""Where things stand in a file: JSON, YAML or TOML read with the line of every field."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sanso.model.errors import ConfigError


@dataclass
class Document:
    """A file's contents.

    Attributes:
        path: As the user gave it.
        tree: Plain Python values.
        lines: The line of each field, by its dotted path.
    """

    path: str
    tree: Any
    lines: dict[str, int] = field(default_factory=dict)

    def error(self, place: str, expected: str) -> ConfigError:
        """An error at a field; the line of the nearest known parent where its own is not."""
        line, parent = self.lines.get(place, 0), place
        while not line and parent:
            parent = parent.rpartition(".")[0]
            line = self.lines.get(parent, 0)
        return ConfigError(self.path, expected, line, place)


def read(path: Path) -> Document:
    """Read a file by its suffix: .json, .toml, .yml or .yaml.

    Raises:
        ConfigError: It cannot be read, or is not what its suffix says.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(str(path), f"cannot be read: {reason}") from error
    try:
        if path.suffix == ".toml":
            return Document(str(path), tomllib.loads(text), toml_lines(text))
        if path.suffix in (".yml", ".yaml"):
            return Document(str(path), yaml.safe_load(text), _lines(text))
        return Document(str(path), json.loads(text), _lines(text))
    except json.JSONDecodeError as error:
        raise ConfigError(str(path), f"is not JSON: {error.msg}", error.lineno) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"is not TOML: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(str(path), f"is not YAML: {error.problem}", line) from error


def _lines(text: str) -> dict[str, int]:
    """The line of every field; JSON is close enough to YAML for its composer, and tabs in it are not."""
    found: dict[str, int] = {}
    root = yaml.compose(text.replace("\t", "  "), Loader=yaml.SafeLoader)

    def walk(node: yaml.Node | None, place: str) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = f"{place}.{key.value}" if place else str(key.value)
                found[inner] = key.start_mark.line + 1
                walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                inner = f"{place}.{number}" if place else str(number)
                found[inner] = value.start_mark.line + 1
                walk(value, inner)

    walk(root, "")
    return found


def toml_lines(text: str) -> dict[str, int]:
    """The line of `key =` inside each [[table]], numbered as they come."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    place = ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("[["):
            name = stripped.strip("[] ")
            place = f"{name}.{counts.get(name, 0)}"
            counts[name] = counts.get(name, 0) + 1
            found[place] = number
        elif stripped.startswith("["):
            place = stripped.strip("[] ")
            found[place] = number
        elif "=" in stripped and not stripped.startswith("#"):
            key = stripped.partition("=")[0].strip().strip('"')
            found[f"{place}.{key}" if place else key] = number
    return found
