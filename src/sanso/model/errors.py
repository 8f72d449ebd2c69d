"""The error tree.

SansoError
├── ConfigError        a configuration, alert or target file is wrong: file, line, field, what was expected
├── UsageError         a command was called wrongly (exit code 2)
├── QueryError         a PromQL question cannot be answered: bad_data, execution, timeout, canceled
├── DecodeError        input from outside (OTLP, exposition, remote write) cannot be read
├── StoreError         the store cannot do what was asked
│   └── StoreBusyError another process holds the data directory
├── SourceError        a source could not read this tick
├── NotifyError        a notification could not be delivered
└── ClientError        a server could not be asked
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

QueryErrorKind: TypeAlias = Literal["bad_data", "execution", "timeout", "canceled"]


class SansoError(Exception):
    """What Sanso raises on purpose; the text says what to do about it."""


@dataclass
class ConfigError(SansoError):
    """A file is wrong at a known place.

    Attributes:
        file: The file's path as the user gave it.
        expected: What should stand there, or what is wrong.
        line: The line, from 1; 0 where it is not known.
        field: The dotted field name; empty where the file as a whole is wrong.
    """

    file: str
    expected: str
    line: int = 0
    field: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.field, self.expected) if part)


class UsageError(SansoError):
    """A command was called wrongly."""


class QueryError(SansoError):
    """A PromQL question cannot be answered; `kind` is Prometheus's error type."""

    def __init__(self, message: str, kind: QueryErrorKind = "bad_data") -> None:
        super().__init__(message)
        self.kind: QueryErrorKind = kind


class DecodeError(SansoError):
    """Input from outside cannot be read."""


class LineError(DecodeError):
    """A line of a page cannot be read; `line` is its number, from 1."""

    def __init__(self, line: int, why: object) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line


class StoreError(SansoError):
    """The store cannot do what was asked."""


class StoreBusyError(StoreError):
    """Another process holds the data directory; `url` is where it answers, empty where it does not."""

    def __init__(self, message: str, *, url: str = "", pid: int = 0) -> None:
        super().__init__(message)
        self.url = url
        self.pid = pid


class SourceError(SansoError):
    """A source could not read this tick."""


class NotifyError(SansoError):
    """A notification could not be delivered."""


class ClientError(SansoError):
    """A server could not be asked."""
