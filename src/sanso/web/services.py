"""What the web needs of the rest, given by whoever puts things together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sanso.client.base import Client
from sanso.model.clock import Clock
from sanso.model.control import QueryLimits
from sanso.model.errors import DecodeError
from sanso.model.exemplars import ExemplarReader
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher
from sanso.model.readings import AlertReading
from sanso.model.series import HeldEngine, SeriesReader
from sanso.sources.scrape.scraper import JobReading
from sanso.web.pool import QueryPool


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


class Admin(Protocol):
    """What only an operator may ask of a store; errors are `StoreError`."""

    def delete(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> int:
        """Hide what these series have in [start, end]; how many series that were."""
        ...

    def clean(self) -> None:
        """Give back the bytes of what is deleted."""
        ...

    def snapshot(self) -> str:
        """Copy the store while it runs; the name of the copy."""
        ...


@dataclass(frozen=True)
class Services:
    """Answers for the web.

    Attributes:
        engine: PromQL.
        engine_for: PromQL with another lookback (ms).
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
        started_ms: Since when it runs.
        pool: Where questions are answered.
        limits: Of a question.
        hosts: Names that the Host header may carry besides loopback's.
        cors_origin: A regular expression of the origins whose pages may ask; empty for none.
        external_labels: That federation and remote read add to series.
        admin: Deletes and copies; None where that is not allowed.
        flags: What the process was told, as `status/flags` shows it.
        config_text: The configuration, as `status/config` shows it.
        jobs: Scrape jobs and their targets.
        reload: Reads the configuration again; what is wrong with it, or nothing.
        loaded: When (ms) the configuration that holds was read, and whether the last attempt to read it went well.
    """

    engine: HeldEngine
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
    engine_for: Callable[[int], HeldEngine]
    pool: QueryPool
    limits: QueryLimits = field(default_factory=QueryLimits)
    hosts: frozenset[str] = field(default_factory=frozenset)
    cors_origin: str = ""
    external_labels: Labels = ()
    admin: Admin | None = None
    flags: Mapping[str, str] = field(default_factory=dict)
    config_text: Callable[[], str] = lambda: ""
    jobs: Callable[[], Sequence[JobReading]] = lambda: ()
    reload: Callable[[], str] = lambda: ""
    loaded: Callable[[], tuple[int, bool]] = lambda: (0, True)
