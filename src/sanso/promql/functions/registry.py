"""The table of functions: a family's file says what each does, and the table finds it by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sanso.model.frame import Floats, Times
from sanso.promql.values import Samples, Scalar, Text, Vector, Window

Value: TypeAlias = Vector | Scalar | Samples | Text


@dataclass(frozen=True)
class Call:
    """A function call, its arguments evaluated: steps are milliseconds, shape [S]."""

    args: list[Value]
    steps: Times

    def vector(self, place: int) -> Vector:
        """An argument that the parser has checked to be an instant vector."""
        value = self.args[place]
        assert isinstance(value, Vector)
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


Plain: TypeAlias = Callable[[Call], Vector | Scalar]
RangeKernel: TypeAlias = Callable[[Window, Call], Floats]
"""Values [N, S] of one window; what it says of windows without a sample is overwritten."""


@dataclass(frozen=True)
class RangeFunction:
    """A function of windows.

    Attributes:
        kernel: What it does.
        least: How many samples a window must have.
        keeps_name: Whether the metric name stays.
    """

    kernel: RangeKernel
    least: int
    keeps_name: bool


PLAIN: dict[str, Plain] = {}
RANGE: dict[str, RangeFunction] = {}


def function(*names: str) -> Callable[[Plain], Plain]:
    """Register a function of evaluated arguments."""

    def register(body: Plain) -> Plain:
        PLAIN.update(dict.fromkeys(names, body))
        return body

    return register


def range_function(name: str, *, least: int = 1, keeps_name: bool = False) -> Callable[[RangeKernel], RangeKernel]:
    """Register a function of windows."""

    def register(kernel: RangeKernel) -> RangeKernel:
        RANGE[name] = RangeFunction(kernel, least, keeps_name)
        return kernel

    return register
