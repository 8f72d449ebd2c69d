"""What a scrape job is told, checked and frozen; where it was written does not matter here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sanso.exposition.page import HistogramWish, Limits
from sanso.model.labels import Labels
from sanso.sources.scrape.relabel import RelabelRule

OPENMETRICS, OPENMETRICS_OLD = "OpenMetricsText1.0.0", "OpenMetricsText0.0.1"
TEXT_NEW, TEXT = "PrometheusText1.0.0", "PrometheusText0.0.4"
PROTOBUF = "PrometheusProto"
PROTOCOLS = (OPENMETRICS, OPENMETRICS_OLD, TEXT_NEW, TEXT)
"""Prometheus's names of the formats, as they are asked for by default."""
NATIVE_PROTOCOLS = (PROTOBUF, *PROTOCOLS)
"""All of them, as they are asked for where native histograms are wanted: only one format has these."""


@dataclass(frozen=True)
class Secret:
    """A text, or the file that holds it: read anew each time, so that it may change."""

    text: str = ""
    file: Path | None = None

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self.text) or self.file is not None


@dataclass(frozen=True)
class TlsSettings:
    """How a server is verified, and how this side shows who it is.

    Attributes:
        ca: Of the authorities to trust, PEM; the system's where empty.
        cert: This side's certificate, PEM.
        key: Its key.
        server_name: What the server's certificate must be for; empty for the address's host.
        skip_verify: Trust anybody.
        min_version: `TLS12`, `TLS13` …; empty for the library's.
        max_version: Likewise.
    """

    ca: Secret = Secret()
    cert: Secret = Secret()
    key: Secret = Secret()
    server_name: str = ""
    skip_verify: bool = False
    min_version: str = ""
    max_version: str = ""


@dataclass(frozen=True)
class HttpSettings:
    """How a server is asked.

    Attributes:
        username: Of basic authentication; None for none.
        password: Of basic authentication.
        auth_type: The word before the credentials (`Bearer`).
        credentials: Of the Authorization header; without them there is none.
        headers: Further ones: name and values.
        follow_redirects: Up to ten.
        tls: For `https`.
    """

    username: Secret | None = None
    password: Secret = Secret()
    auth_type: str = "Bearer"
    credentials: Secret = Secret()
    headers: tuple[tuple[str, Secret], ...] = ()
    follow_redirects: bool = True
    tls: TlsSettings = TlsSettings()


_DEFAULTS = Limits()
_CLASSIC = HistogramWish(native=False)


@dataclass(frozen=True)
class ScrapeLimits:
    """Beyond these a scrape fails as a whole; 0 is no limit.

    Attributes:
        body_bytes: Of the page, unpacked.
        samples: After relabelling.
        labels: A series, target labels and the name among them.
        label_name_length: Bytes.
        label_value_length: Bytes.
        targets: Of the job.
        dropped_kept: Dropped targets that are remembered for showing them.
    """

    body_bytes: int = _DEFAULTS.body_bytes
    samples: int = _DEFAULTS.samples
    labels: int = _DEFAULTS.labels
    label_name_length: int = _DEFAULTS.label_name_bytes
    label_value_length: int = _DEFAULTS.label_value_bytes
    targets: int = 0
    dropped_kept: int = 0


@dataclass(frozen=True)
class TargetGroup:
    """Addresses with labels that they share: what static lists and discovery give.

    Attributes:
        source: Where it comes from, for messages.
        targets: A label set each, `__address__` at least.
        labels: Of all of them.
    """

    source: str
    targets: tuple[Labels, ...]
    labels: Labels = ()


@dataclass(frozen=True)
class FileDiscovery:
    """Target groups in JSON or YAML files.

    Attributes:
        patterns: Absolute, the last part may be a glob.
        refresh_ms: Between two looks at everything; a changed file is seen within seconds.
    """

    patterns: tuple[str, ...]
    refresh_ms: int = 300_000


@dataclass(frozen=True)
class HttpDiscovery:
    """Target groups as JSON from a server."""

    url: str
    refresh_ms: int = 60_000
    http: HttpSettings = field(default_factory=HttpSettings)


@dataclass(frozen=True)
class ScrapeJob:
    """One job.

    Attributes:
        name: The label `job` of its targets.
        interval_ms: Between two scrapes of a target.
        timeout_ms: For one, connecting and the whole page included.
        scheme: `http` or `https`.
        metrics_path: Of the page.
        params: Of the URL's query: name and values.
        honor_labels: A page's labels go before the target's.
        honor_timestamps: A page's times are taken.
        track_timestamps_staleness: A series with times of its own is ended too when it disappears.
        extra_metrics: Also `scrape_timeout_seconds`, `scrape_sample_limit`, `scrape_body_size_bytes`.
        compression: Ask for gzip.
        protocols: Formats to ask for, best first; empty for what `histograms` needs.
        fallback: The format of a page that does not say what it is.
        histograms: What is wanted of them.
        limits: What is too much.
        http: How targets are asked.
        static: Fixed targets.
        files: File discovery.
        urls: HTTP discovery.
        relabel: Of targets.
        metric_relabel: Of samples.
        pool: What it is called among other jobs of its name; empty for the name itself.
    """

    name: str
    interval_ms: int = 60_000
    timeout_ms: int = 10_000
    scheme: str = "http"
    metrics_path: str = "/metrics"
    params: tuple[tuple[str, tuple[str, ...]], ...] = ()
    honor_labels: bool = False
    honor_timestamps: bool = True
    track_timestamps_staleness: bool = False
    extra_metrics: bool = False
    compression: bool = True
    protocols: tuple[str, ...] = ()
    fallback: str = TEXT
    histograms: HistogramWish = _CLASSIC
    limits: ScrapeLimits = ScrapeLimits()
    http: HttpSettings = field(default_factory=HttpSettings)
    static: tuple[TargetGroup, ...] = ()
    files: tuple[FileDiscovery, ...] = ()
    urls: tuple[HttpDiscovery, ...] = ()
    relabel: tuple[RelabelRule, ...] = ()
    metric_relabel: tuple[RelabelRule, ...] = ()
    pool: str = ""

    @property
    def asked(self) -> tuple[str, ...]:
        """Formats that are asked for, best first."""
        return self.protocols or (NATIVE_PROTOCOLS if self.histograms.native else PROTOCOLS)

    @property
    def key(self) -> str:
        """No two jobs of a plan have the same."""
        return self.pool or self.name


@dataclass(frozen=True)
class ScrapePlan:
    """All jobs."""

    jobs: tuple[ScrapeJob, ...] = ()
