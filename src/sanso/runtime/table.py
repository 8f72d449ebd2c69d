"""Reading a configuration's tables field by field: what is wrong is said with file, line and field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sanso.model.durations import parse_duration_ms
from sanso.model.errors import ConfigError
from sanso.model.sizes import parse_bytes
from sanso.rules.places import Document
from sanso.runtime.yaml_numbers import whole

_T = TypeVar("_T")
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Table:
    """One table of a file. A value may be typed (TOML) or a text (YAML: `1.10` as a label's value stays `1.10`).

    Args:
        document: The file.
        place: The table's dotted path in it.
        values: What stands there.
        names: How the file spells a field, where that is another name than the one asked for.
    """

    def __init__(
        self, document: Document, place: str, values: Mapping[str, Any], names: Mapping[str, str] | None = None
    ) -> None:
        self.document = document
        self.place = place
        self.values = values
        self._names = names or {}

    @property
    def folder(self) -> Path:
        """Where relative paths begin."""
        return Path(self.document.path).absolute().parent

    def __contains__(self, key: str) -> bool:
        return self.raw(key) is not None

    def raw(self, key: str) -> Any:
        """Whatever stands there; None where nothing does."""
        return self.values.get(self._names.get(key, key))

    def error(self, key: str, expected: str) -> ConfigError:
        """An error at a field, or at the table where the key is empty."""
        return self.document.error(self._at(key), expected)

    def only(self, known: Iterable[str]) -> None:
        """Refuse fields that nobody knows."""
        names = {self._names.get(key, key) for key in known}
        for key in self.values:
            if key not in names:
                raise self.document.error(self._inner(key), f"unknown field; known are {', '.join(sorted(names))}")

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.error(key, f"a text is expected, not {value!r}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.raw(key)
        if value is None:
            return default
        found = value if isinstance(value, bool) else _FLAGS.get(str(value).lower())
        if found is None:
            raise self.error(key, f"true or false is expected, not {value!r}")
        return found

    def count(self, key: str, default: int) -> int:
        """A whole number, 0 or more."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, str):
            return self.made(key, whole, value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.error(key, f"a whole number is expected, not {value!r}")
        return value

    def duration_ms(self, key: str, default: int, *, least: int = 1) -> int:
        """A duration in milliseconds."""
        value = self.raw(key)
        if value is None:
            return default
        found = self.made(key, parse_duration_ms, value if isinstance(value, str | int | float) else str(value))
        if found < least:
            raise self.error(key, f"a duration of at least {least} ms is expected, not {value!r}")
        return found

    def size_bytes(self, key: str, default: int) -> int:
        """A size."""
        value = self.raw(key)
        return default if value is None else self.made(key, parse_bytes, str(value))

    def path(self, key: str) -> Path | None:
        """A path, from the file's folder."""
        text = self.text(key)
        return self.folder / Path(text).expanduser() if text else None

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, f"a list of texts is expected, not {value!r}")
        return tuple(value)

    def strings(self, key: str) -> dict[str, str]:
        """Texts by name."""
        value = self.raw(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(text, str | None) for text in value.values()):
            raise self.error(key, f"texts by name are expected, not {value!r}")
        return {str(name): text or "" for name, text in value.items()}

    def table(self, key: str) -> Table | None:
        """A table inside this one."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.error(key, f"a table is expected, not {value!r}")
        return Table(self.document, self._at(key), value)

    def tables(self, key: str, names: Mapping[str, str] | None = None) -> list[Table]:
        """A list of tables."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, f"a list of tables is expected, not {value!r}")
        return [Table(self.document, f"{self._at(key)}.{place}", item, names) for place, item in enumerate(value)]

    def made(self, key: str, make: Callable[[Any], _T], value: Any) -> _T:
        """What `make` makes of a value; its ValueError becomes the field's error."""
        try:
            return make(value)
        except ValueError as error:
            raise self.error(key, str(error)) from error

    def _at(self, key: str) -> str:
        return self._inner(self._names.get(key, key)) if key else self.place

    def _inner(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key
