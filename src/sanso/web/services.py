"""What the web needs of the rest, given by whoever puts things together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sanso.client.base import Client
from sanso.model.clock import Clock
from sanso.model.errors import DecodeError
from sanso.model.exemplars import ExemplarReader
from sanso.model.readings import AlertReading
from sanso.model.series import Engine, SeriesReader


class Received(Protocol):
    """What came of an OTLP request."""

    @property
    def response_body(self) -> bytes:
        """The answer."""
        ...

    @property
    def content_type(self) -> str:
        """Its encoding."""
        ...


class ReceiveOtlp(Protocol):
    """Takes an OTLP metrics request; raises `DecodeError`."""

    def __call__(self, body: bytes, *, content_type: str, content_encoding: str = "") -> Received:
        """Take it."""
        ...


class WriteResult(Protocol):
    """What came of a remote-write request."""

    @property
    def samples(self) -> int:
        """How many were taken."""
        ...

    @property
    def histograms(self) -> int:
        """Likewise."""
        ...

    @property
    def exemplars(self) -> int:
        """Likewise."""
        ...

    @property
    def problem(self) -> str:
        """What was refused and why."""
        ...

    @property
    def durable(self) -> bool:
        """Whether what was taken is on disk."""
        ...


class ReceiveRemoteWrite(Protocol):
    """Takes remote-write requests, bodies with the names of their messages, together: one answer each."""

    def __call__(self, requests: Sequence[tuple[bytes, str]], /) -> Sequence[WriteResult | DecodeError]:
        """Take them."""
        ...


@dataclass(frozen=True)
class Services:
    """Answers for the web.

    Attributes:
        engine: PromQL.
        reader: Series and families.
        client: Overview and histories.
        receive_otlp: Takes pushes.
        receive_remote_write: Takes Prometheus's.
        exemplars: What was pushed of them.
        clock: What the time is.
        version: Of Sanso.
        alerts: Pending and firing.
        rules: The rules, as Prometheus's API shows them.
        stats: For `status/tsdb`.
        hosts: Names that the Host header may carry besides loopback's.
    """

    engine: Engine
    reader: SeriesReader
    client: Client
    receive_otlp: ReceiveOtlp
    receive_remote_write: ReceiveRemoteWrite
    exemplars: ExemplarReader
    clock: Clock
    version: str
    alerts: Callable[[], Sequence[AlertReading]]
    rules: Callable[[], list[dict[str, Any]]]
    stats: Callable[[], Mapping[str, int]]
    started_ms: int
    hosts: frozenset[str] = field(default_factory=frozenset)
