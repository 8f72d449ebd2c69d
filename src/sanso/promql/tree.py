"""A question as a tree: what the evaluator walks, whatever parser has read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sanso.model.matchers import Matcher

NOWHERE = -1
"""The place of a node that is not known."""


@dataclass(frozen=True, eq=False)
class Number:
    """A number, or a duration in seconds."""

    value: float
    place: int = NOWHERE


@dataclass(frozen=True, eq=False)
class String:
    """A string."""

    text: str
    place: int = NOWHERE


@dataclass(frozen=True, eq=False)
class Paren:
    """Something in parentheses."""

    expr: Node
    place: int = NOWHERE


@dataclass(frozen=True, eq=False)
class Negative:
    """A minus sign and what follows it."""

    expr: Node
    place: int = NOWHERE


@dataclass(frozen=True)
class When:
    """What `@` and `offset` make of the steps.

    Attributes:
        at: A time in ms, the question's start or end, or None: each step's own.
        offset_ms: How much earlier.
    """

    at: int | Literal["start", "end"] | None = None
    offset_ms: int = 0


@dataclass(frozen=True, eq=False)
class Selector:
    """An instant vector selector.

    Attributes:
        choices: Matchers that all must accept a series; of several choices (`or`) any.
        when: Its `@` and `offset`.
        place: Where it begins in the text.
    """

    choices: tuple[tuple[Matcher, ...], ...]
    when: When = When()
    place: int = NOWHERE


@dataclass(frozen=True, eq=False)
class Range:
    """A range vector selector."""

    selector: Selector
    range_ms: int
    place: int = NOWHERE


@dataclass(frozen=True, eq=False)
class Subquery:
    """A range of a question's own values; `step_ms` is 0 where none is given."""

    expr: Node
    range_ms: int
    step_ms: int
    when: When = When()
    place: int = NOWHERE


@dataclass(frozen=True, eq=False)
class Function:
    """A call."""

    name: str
    args: tuple[Node, ...]
    place: int = NOWHERE


@dataclass(frozen=True, eq=False)
class Aggregate:
    """An aggregation: by `labels`, or by all others."""

    name: str
    expr: Node
    param: Node | None
    labels: tuple[str, ...]
    by: bool
    place: int = NOWHERE


@dataclass(frozen=True)
class Matching:
    """How series of two vectors find each other.

    Attributes:
        labels: Of `on` or `ignoring`.
        on: Whether they are those of `on`.
        many: The side that may have several: "left" (group_left), "right" (group_right) or neither.
        include: Labels that the many take from the one.
        as_bool: Whether a comparison answers 0 or 1.
        fill: What stands for a missing left and right series; None where it matches nothing.
    """

    labels: tuple[str, ...] = ()
    on: bool = False
    many: Literal["left", "right", ""] = ""
    include: tuple[str, ...] = ()
    as_bool: bool = False
    fill: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, eq=False)
class Binary:
    """An operator between two."""

    op: str
    left: Node
    right: Node
    matching: Matching
    place: int = NOWHERE


Node: TypeAlias = (
    Number | String | Paren | Negative | Selector | Range | Subquery | Function | Aggregate | Binary
)  # fmt: skip


def bare(node: Node) -> Node:
    """A node without the parentheses around it."""
    while isinstance(node, Paren):
        node = node.expr
    return node
