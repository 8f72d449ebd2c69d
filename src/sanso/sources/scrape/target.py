"""A target: what a job and a label set make of each other, as Prometheus populates them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from sanso.exposition.page import HistogramWish
from sanso.model.durations import format_duration_ms, parse_duration_ms
from sanso.model.labels import Labels, labels_of, value_of
from sanso.sources.scrape.relabel import relabelled
from sanso.sources.scrape.settings import ScrapeJob, TargetGroup

ADDRESS, SCHEME, PATH = "__address__", "__scheme__", "__metrics_path__"
_INTERVAL, _TIMEOUT, _PARAM = "__scrape_interval__", "__scrape_timeout__", "__param_"
_HISTOGRAMS = {
    "native": "__scrape_native_histograms__",
    "classic": "__always_scrape_classic_histograms__",
    "custom": "__convert_classic_histograms_to_nhcb__",
}
"""By which relabelling says of one target what the job says of all; by the field of `HistogramWish`."""
_FLAGS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
_PATH_SAFE = "/:@!$&'()*+,;=-._~"


@dataclass(frozen=True)
class Target:
    """Something to scrape.

    Attributes:
        job: The job's name.
        labels: What its series carry.
        discovered: Its labels before relabelling.
        url: Where its page is.
        interval_ms: Between two scrapes.
        timeout_ms: For one.
        histograms: What is wanted of them, where that is not what the job says.
    """

    job: str
    labels: Labels
    discovered: Labels
    url: str
    interval_ms: int
    timeout_ms: int
    histograms: HistogramWish | None = None

    @property
    def key(self) -> str:
        """The same for the same target, today and after a restart; other targets have others."""
        text = repr((self.job, self.labels, self.url, *((self.histograms,) if self.histograms else ())))
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    @property
    def instance(self) -> str:
        """The label by which people know it."""
        return value_of(self.labels, "instance")


@dataclass(frozen=True)
class Populated:
    """What the groups of a job give.

    Attributes:
        targets: By key, no two alike.
        dropped: Discovered labels of those that relabelling drops.
        problems: Of those that cannot be targets.
    """

    targets: dict[str, Target]
    dropped: list[Labels]
    problems: list[str]


def populate(job: ScrapeJob, groups: Iterable[TargetGroup]) -> Populated:
    """All targets of a job."""
    found = Populated({}, [], [])
    for group in groups:
        for number, own in enumerate(group.targets):
            discovered = _discovered(job, {**dict(group.labels), **dict(own)})
            labels = relabelled({**_histogram_labels(job), **discovered}, job.relabel)
            if labels is None:
                found.dropped.append(labels_of(discovered))
                continue
            try:
                target = _target(job, labels_of(discovered), labels)
            except ValueError as error:
                found.problems.append(f"{group.source}, target {number}: {error}")
                continue
            found.targets.setdefault(target.key, target)
    return found


def _discovered(job: ScrapeJob, given: dict[str, str]) -> dict[str, str]:
    """Labels before relabelling: what the job says counts where the target says nothing."""
    defaults = {
        "job": job.name,
        _INTERVAL: format_duration_ms(job.interval_ms),
        _TIMEOUT: format_duration_ms(job.timeout_ms),
        PATH: job.metrics_path,
        SCHEME: job.scheme,
    }
    labels = {name: value for name, value in given.items() if value}
    for name, value in defaults.items():
        labels.setdefault(name, value)
    labels.update({_PARAM + name: values[0] for name, values in job.params if values and values[0]})
    return labels


def _histogram_labels(job: ScrapeJob) -> dict[str, str]:
    return {label: str(getattr(job.histograms, name)).lower() for name, label in _HISTOGRAMS.items()}


def _wish(job: ScrapeJob, labels: dict[str, str]) -> HistogramWish | None:
    """What is wanted of the target's histograms; None for what the job says."""
    told = {}
    for name, label in _HISTOGRAMS.items():
        if labels.get(label):
            if labels[label] not in _FLAGS:
                raise ValueError(f"{label}: true or false is expected, not {labels[label]!r}")
            told[name] = _FLAGS[labels[label]]
    wish = replace(job.histograms, **told)
    return None if wish == job.histograms else wish


def _target(job: ScrapeJob, discovered: Labels, labels: dict[str, str]) -> Target:
    """A target of relabelled labels.

    Raises:
        ValueError: They make none.
    """
    address = labels.get(ADDRESS, "")
    if not address:
        raise ValueError("no address: __address__ is empty after relabelling")
    if "/" in address:
        raise ValueError(f'"{address}" is not a valid hostname')
    scheme = labels.get(SCHEME, "") or "http"
    if scheme not in ("http", "https"):
        raise ValueError(f"invalid scheme: {scheme!r}")
    interval, timeout = _times(labels)
    public = labels_of((name, value) for name, value in labels.items() if not name.startswith("__"))
    if not value_of(public, "instance"):
        public = labels_of({**dict(public), "instance": address})
    url = _url(job, labels, scheme, address)
    return Target(job.name, public, discovered, url, interval, timeout, _wish(job, labels))


def _times(labels: dict[str, str]) -> tuple[int, int]:
    interval, timeout = (parse_duration_ms(labels.get(name, "")) for name in (_INTERVAL, _TIMEOUT))
    if interval <= 0 or timeout <= 0:
        raise ValueError("scrape interval and timeout cannot be 0")
    if timeout > interval:
        spelled = f"{labels[_TIMEOUT]!r} > {labels[_INTERVAL]!r}"
        raise ValueError(f"scrape timeout cannot be greater than scrape interval ({spelled})")
    return interval, timeout


def _url(job: ScrapeJob, labels: dict[str, str], scheme: str, address: str) -> str:
    params = {name: list(values) for name, values in job.params}
    for name, value in labels.items():
        if name.startswith(_PARAM):
            params[name.removeprefix(_PARAM)] = [value, *params.get(name.removeprefix(_PARAM), [])[1:]]
    query = urlencode(sorted(params.items()), doseq=True)
    path = quote(labels.get(PATH, ""), safe=_PATH_SAFE)
    path = path if path.startswith("/") or not path else f"/{path}"
    return f"{scheme}://{address}{path}{'?' if query else ''}{query}"
