"""The composition root: store, engine, sources, rules and notifiers put together, and what runs them once a tick."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType

from sanso.client.local import LocalClient
from sanso.model.clock import Clock
from sanso.model.readings import Overview
from sanso.notify.dispatcher import Dispatcher
from sanso.promql.engine import PromEngine
from sanso.rules.evaluator import RuleEvaluator
from sanso.rules.rule import AlertRule
from sanso.runtime.config import Config
from sanso.runtime.loop import TickLoop
from sanso.runtime.own_figures import Counts, OwnFigures
from sanso.runtime.sampler import Sampler
from sanso.runtime.writer import SharedWriter
from sanso.sources.base import Source
from sanso.sources.otlp import OtlpReceiver
from sanso.sources.remote_write import RemoteWriteReceiver
from sanso.sources.scrape.figures import ScrapeFigures
from sanso.sources.scrape.scraper import Scraper
from sanso.sources.workers import WorkerJudge, WorkersSource
from sanso.store.exemplars import Exemplars
from sanso.store.store import Store
from sanso.vitals.catalog import expressions, load
from sanso.vitals.reading import read_vitals

_PRUNE_EVERY_MS = 60_000


@dataclass
class Alerting:
    """The rules of a monitor, where its alerts go, and what of the rules is not honoured yet."""

    rules: Sequence[AlertRule] = ()
    dispatcher: Dispatcher = field(default_factory=lambda: Dispatcher([]))
    notices: Sequence[str] = ()


class Monitor:
    """Watches: one store, one loop. Front ends ask through `client`.

    Args:
        config: What to do.
        store: Where samples go; closed with the monitor.
        clock: What the time is.
        sources: What to read besides the workers' states.
        alerting: Rules and handlers.

    Attributes:
        client: Answers for front ends in this process.
        engine: Answers PromQL.
        store: As given.
        receiver: Takes OTLP pushes.
        remote_write: Takes Prometheus's.
        scraper: Reads targets.
        exemplars: What pushed exemplars are kept.
        notices: What the user should know; whoever starts servers adds to it.
    """

    def __init__(
        self, config: Config, store: Store, clock: Clock, *, sources: Sequence[Source], alerting: Alerting | None = None
    ) -> None:
        self.config = config
        self.clock = clock
        self.store = store
        self.engine = self.engine_for(config.query.lookback_ms)
        self._alerting = alerting or Alerting()
        self._of_files = [*config.notices, *self._alerting.notices]
        self.notices: list[str] = list(self._of_files)
        self._writer = SharedWriter(store)
        self.receiver = OtlpReceiver(self._writer, clock)
        self.exemplars = Exemplars()
        self.remote_write = RemoteWriteReceiver(
            self._writer, self.exemplars, clock, config.retention_ms, lambda: not store.notice
        )
        self._judge = WorkerJudge(self.engine, config.organisation)
        self._judging = threading.Lock()
        self._vitals = load()
        self.rules = RuleEvaluator(self._alerting.rules, self.engine, store.states, self._alerting.dispatcher.send)
        self._loop = TickLoop(self.tick, config.interval_ms, clock)
        own = OwnFigures(Counts(lambda: self._loop.missed, lambda: self._alerting.dispatcher.dropped, store.stats))
        self.scraper = Scraper(self._writer, self.exemplars, clock)
        self._scrape_figures = ScrapeFigures(self.scraper)
        self._writer.describe(ScrapeFigures.families)
        deadline = max(config.interval_ms * 0.8, 250) / 1000
        self._sampler = Sampler([*sources, WorkersSource(self._judge), own], self._writer, clock, deadline)
        self._pruned_ms = 0
        self._expressions = expressions(self._vitals)
        self.client = LocalClient(self.engine, clock, self.overview, self._expressions)

    def start(self) -> None:
        """Begin to watch."""
        self._loop.start()
        self.scraper.apply(self.config.scrape)

    def reload(self, config: Config, alerting: Alerting) -> None:
        """Scrape and judge as another configuration says; what else it says counts from the next start on."""
        others = [notice for notice in self.notices if notice not in self._of_files]
        self._of_files = [*config.notices, *alerting.notices]
        self.notices[:] = [*self._of_files, *others]
        self.config = replace(
            self.config,
            scrape=config.scrape,
            notices=config.notices,
            text=config.text,
        )
        self.rules.replace(alerting.rules)
        self.scraper.apply(config.scrape)

    def tick(self, now_ms: int) -> None:
        """Sample, judge rules, make it durable."""
        self._sampler.tick(now_ms)
        self.rules.evaluate(now_ms)
        alerts = self.rules.series(now_ms)
        if alerts is not None:
            self._writer.append("sanso_alerts", now_ms, alerts)
        figures = self._scrape_figures.read(now_ms)
        if figures is not None:
            self._writer.append("sanso_scrape", now_ms, figures)
        self._writer.commit()
        if now_ms - self._pruned_ms >= _PRUNE_EVERY_MS:
            self._pruned_ms = now_ms
            self.store.prune(now_ms)

    def engine_for(self, lookback_ms: int) -> PromEngine:
        """An engine for which an instant selector's sample may be so old."""
        return PromEngine(self.store, lookback_ms=lookback_ms, max_samples=self.config.query.most_samples)

    def overview(self, at_ms: int) -> Overview:
        """Everything a first screen draws."""
        workers = self._judge.judge(at_ms)
        return Overview(
            time_ms=at_ms,
            host=socket.gethostname(),
            vitals=read_vitals(self._vitals, self.engine, at_ms),
            workers=workers,
            workers_expected=self.config.organisation.expected or len(workers),
            alerts=self.rules.readings(),
            sources=[*self._sampler.readings(), *self.scraper.sources()],
            notices=[*self.notices, *filter(None, [self.store.notice])],
        )

    def close(self) -> None:
        """Stop, deliver what waits, close the store."""
        self.scraper.stop()
        self._loop.stop()
        self._sampler.stop()
        self._alerting.dispatcher.close()
        self.store.close()

    def __enter__(self) -> Monitor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
