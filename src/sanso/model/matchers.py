"""Label matchers: the four ways of PromQL to choose series by a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

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

    def __post_init__(self) -> None:
        if self.op in ("=~", "!~"):
            compiled(self.value)

    def matches(self, value: str) -> bool:
        """Whether a label value satisfies this matcher."""
        if self.op in ("=~", "!~"):  # looked up, not held: matchers are remembered in great numbers
            return compiled(self.value).matches(value) == (self.op == "=~")
        return (value == self.value) == (self.op == "=")

    def accepts(self, labels: Labels) -> bool:
        """Whether a series satisfies this matcher."""
        return self.matches(value_of(labels, self.name))
