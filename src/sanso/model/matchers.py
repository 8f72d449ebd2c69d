"""Label matchers: the four ways of PromQL to choose series by a label."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sanso.model.errors import QueryError
from sanso.model.expressions import compiled
from sanso.model.labels import Labels, value_of

MatchOp: TypeAlias = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True)
class Matcher:
    """One condition on one label; an absent label counts as the empty string. Regular expressions are anchored.

    Raises:
        QueryError: The regular expression cannot be compiled.
    """

    name: str
    op: MatchOp
    value: str
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.op in ("=~", "!~"):
            try:
                object.__setattr__(self, "_pattern", compiled(self.value))
            except re.error as error:
                raise QueryError(f"error parsing regexp {self.value!r}: {error}") from error

    def matches(self, value: str) -> bool:
        """Whether a label value satisfies this matcher."""
        if self._pattern is not None:
            return (self._pattern.fullmatch(value) is not None) == (self.op == "=~")
        return (value == self.value) == (self.op == "=")

    def accepts(self, labels: Labels) -> bool:
        """Whether a series satisfies this matcher."""
        return self.matches(value_of(labels, self.name))
