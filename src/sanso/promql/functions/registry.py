"""The table of functions: a family's file says what each does, and the table finds it by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Part, Times
from sanso.model.series import Edge
from sanso.promql.annotations import Annotations
from sanso.promql.tree import NOWHERE
from sanso.promql.values import Scalar, Text, Value, Vector, Window


@dataclass(frozen=True)
class Call:
    """A function call, its arguments evaluated.

    Attributes:
        args: What it is called with.
        steps: Milliseconds, shape [S].
        notes: Where it says what is odd about its arguments.
        places: Where its arguments begin in the question.
        outer: Start, end and step of the whole question, ms.
        edge: What quantiles of histograms answer.
        check: Raises where the question has no more time; to be called now and then by what may take long.
    """

    args: list[Value]
    steps: Times
    notes: Annotations = field(default_factory=Annotations)
    places: tuple[int, ...] = ()
    outer: tuple[int, int, int] = (0, 0, 0)
    edge: Edge = "inside"
    check: Callable[[], None] = lambda: None

    def vector(self, place: int) -> Vector:
        """An argument that must be an instant vector; the parser lets a number pass here and there, as in log2(Inf).

        Raises:
            QueryError: It is something else.
        """
        value = self.args[place]
        if not isinstance(value, Vector):
            kind = type(value).__name__.lower()
            raise QueryError(f"parse error: expected type instant vector in argument {place + 1}, got {kind}")
        return value

    def scalar(self, place: int) -> Floats:
        """A scalar argument's values, shape [S]."""
        value = self.args[place]
        assert isinstance(value, Scalar)
        return value.values

    def text(self, place: int) -> str:
        """A string argument."""
        value = self.args[place]
        assert isinstance(value, Text)
        return value.text

    def place(self, number: int) -> int:
        """Where an argument begins in the question."""
        return self.places[number] if number < len(self.places) else NOWHERE


Plain: TypeAlias = Callable[[Call], Vector | Scalar]
RangeKernel: TypeAlias = Callable[[Window, Call], Floats]
"""Values [N, S] of one window; what it says of windows without enough samples is overwritten."""


@dataclass(frozen=True)
class RangeFunction:
    """A function of windows.

    Attributes:
        kernel: What it does.
        least: How many samples a window must have.
        keeps_name: Whether the metric name stays.
        part: What coarse samples must stand for.
        weighted: Whether it must know how many raw samples a coarse one stands for.
        exact: Whether its answer from coarse samples is what it would be from the raw ones, or as near as their
            resolution allows; if not, the answer says so.
        counter: Whether it is meant for counters.
    """

    kernel: RangeKernel
    least: int = 1
    keeps_name: bool = False
    part: Part = "last"
    weighted: bool = False
    exact: bool = False
    counter: bool = False


PLAIN: dict[str, Plain] = {}
RANGE: dict[str, RangeFunction] = {}


def function(*names: str) -> Callable[[Plain], Plain]:
    """Register a function of evaluated arguments."""

    def register(body: Plain) -> Plain:
        PLAIN.update(dict.fromkeys(names, body))
        return body

    return register


def range_function(
    name: str,
    *,
    least: int = 1,
    keeps_name: bool = False,
    coarse: Part | None = None,
    weighted: bool = False,
    counter: bool = False,
) -> Callable[[RangeKernel], RangeKernel]:
    """Register a function of windows; `coarse` is the part of coarse samples from which its answer is right."""

    def register(kernel: RangeKernel) -> RangeKernel:
        RANGE[name] = RangeFunction(
            kernel, least, keeps_name, coarse or "last", weighted=weighted, exact=coarse is not None, counter=counter
        )
        return kernel

    return register
