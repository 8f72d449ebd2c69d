"""What functions and aggregations need of the evaluator that calls them."""

from __future__ import annotations

from typing import Protocol, TypeVar

from sanso.model.frame import Times
from sanso.model.series import Edge
from sanso.promql.annotations import Annotations
from sanso.promql.selectors import Source
from sanso.promql.tree import Node, Selector, Subquery
from sanso.promql.values import Samples, Scalar, Text, Value, Vector

Kind = TypeVar("Kind", Vector, Scalar, Samples, Text)


class Evaluation(Protocol):
    """Evaluates the nodes under a function or an aggregation: see `evaluator.Evaluator`."""

    @property
    def source(self) -> Source:
        """Where samples come from."""
        ...

    @property
    def steps(self) -> Times:
        """Milliseconds, shape [S]."""
        ...

    @property
    def outer(self) -> tuple[int, int, int]:
        """Start, end and step of the whole question."""
        ...

    @property
    def notes(self) -> Annotations:
        """What is to be said beside the values."""
        ...

    @property
    def edge(self) -> Edge:
        """What quantiles of histograms answer."""
        ...

    def value(self, node: Node) -> Value:
        """A node's value."""
        ...

    def expect(self, kind: type[Kind], node: Node) -> Kind:
        """A node's value of a known kind."""
        ...

    def vector(self, node: Node) -> Vector:
        """A node's instant vector, without series that have nothing."""
        ...

    def times(self, node: Selector | Subquery) -> Times:
        """The steps that a node's `@` and `offset` mean."""
        ...

    def hold(self, *vectors: Vector | Scalar, results: int = 1) -> None:
        """Say that so many results as large as these are about to be in memory."""
        ...
