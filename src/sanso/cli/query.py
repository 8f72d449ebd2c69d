"""`sanso query`: PromQL from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sanso.cli.options import Subcommands, add_server_options, checked
from sanso.model.clock import SystemClock
from sanso.model.durations import parse_duration_ms
from sanso.model.errors import ClientError, UsageError

if TYPE_CHECKING:  # answering needs numpy; `sanso --help` does not
    from sanso.client.base import Client
    from sanso.client.bounds import Bounded
    from sanso.model.readings import Overview
    from sanso.model.series import Answer

_STEPS = 120
"""How many steps a range has where none is given: what a terminal can draw."""


def add_to(commands: Subcommands) -> None:
    """Register the command."""
    parser = commands.add_parser("query", help="ask a PromQL question")
    parser.add_argument("expr", metavar="EXPR", help="PromQL: 'sum by (mode) (rate(node_cpu_seconds_total[1m]))'")
    add_server_options(parser)
    parser.add_argument("--config", type=Path, help="a sanso.toml: its data directory and limits, where no server runs")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the history to read where no server runs")
    parser.add_argument("--time", metavar="T", help="at this time (now): unix seconds, RFC 3339, or -5m")
    parser.add_argument("--start", metavar="T", help="a range from here")
    parser.add_argument("--end", metavar="T", help="to here (now)")
    parser.add_argument("--step", metavar="DURATION", help="every so often (a 120th of the range)")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    parser.add_argument(
        "--bounds", action="store_true", help="beside each quantile of a histogram, between what it certainly lies"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask, and print the answer."""
    from sanso.cli import answers

    with _client(options) as client:
        answer, bounds = _asked(client, options)
    for warning in (*answer.warnings, *answer.infos):
        print(f"sanso: {warning}", file=sys.stderr)
    print(answers.FORMATS[options.format](answer, bounds))
    return 0


def _asked(client: Client, options: argparse.Namespace) -> tuple[Answer, Bounded | None]:
    """The answer, and its bounds where they are asked for."""
    from sanso.client import bounds

    now = SystemClock().now_ms()
    if options.start is None:
        if options.end or options.step:
            raise UsageError("--end and --step need --start")
        at = now if options.time is None else _time("--time", options.time, now)
        if options.bounds:
            found = bounds.bounded(client.ends(options.expr, at))
            return found.answer, found
        return client.query(options.expr, at), None
    start, end = _time("--start", options.start, now), _time("--end", options.end or "0s", now)
    step = checked("--step", parse_duration_ms, options.step) if options.step else (end - start) // _STEPS
    if end < start:
        raise UsageError("--end is before --start")
    if options.bounds:
        found = bounds.bounded(client.ends_range(options.expr, start, end, max(step, 1)))
        return found.answer, found
    return client.query_range(options.expr, start, end, max(step, 1)), None


def _time(option: str, text: str, now: int) -> int:
    """Milliseconds: unix seconds, RFC 3339, or a duration before now (`-5m`, `5m`)."""
    with suppress(ValueError, OverflowError):
        return round(float(text) * 1000)
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    with suppress(ValueError):
        return now - parse_duration_ms(text.lstrip("-"))
    raise UsageError(
        f'{option}: "{text}" is not a time: write it as unix seconds, in RFC 3339, or like -5m for before now'
    )


@contextmanager
def _client(options: argparse.Namespace) -> Iterator[Client]:
    """The server asked for, the one that holds the data, or the data itself."""
    from dataclasses import replace

    from sanso.client.local import LocalClient
    from sanso.promql.engine import PromEngine
    from sanso.runtime.attach import running_server
    from sanso.runtime.config import load_config
    from sanso.store.store import Store

    config = load_config(options.config)
    if options.data:
        config = replace(config, data=options.data.expanduser().absolute())
    server = running_server(config, options.url)
    if server is not None:
        with closing(server):
            yield server
        return
    if not config.data.is_dir():
        raise ClientError(f"no server answers and {config.data} holds no history: start `sanso serve`, or give --url")
    clock = SystemClock()
    store = Store.open(config.data, retention_ms=config.retention_ms, tiers=config.tiers_ms)
    limits = config.query
    engine = PromEngine(
        store, lookback_ms=limits.lookback_ms, max_samples=limits.most_samples, timeout_s=limits.timeout_s
    )
    try:
        yield LocalClient(engine, clock, _no_overview, {})
    finally:
        store.close()


def _no_overview(_: int) -> Overview:
    raise ClientError("a closed history has no overview")
