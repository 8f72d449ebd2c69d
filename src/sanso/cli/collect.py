"""`sanso collect`: the figures, without a screen."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable

from sanso.cli.options import Subcommands, add_language_option, add_server_options, seconds
from sanso.model.errors import UsageError
from sanso.model.readings import Overview


def add_to(commands: Subcommands) -> None:
    """Register the command."""
    parser = commands.add_parser("collect", help="print the figures: a table, JSON lines or exposition text")
    add_server_options(parser)
    add_language_option(parser)
    parser.add_argument("--once", action="store_true", help="print once and end")
    parser.add_argument("--count", type=int, metavar="N", help="print N times and end")
    parser.add_argument("--interval", type=seconds, default=2.0, metavar="S", help="seconds between two prints (2)")
    parser.add_argument("--format", choices=("table", "json", "prom"), default="table")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print figures until the count is reached or the user has had enough."""
    from sanso.runtime.collector import MetricsCollector

    if options.count is not None and options.count < 1:
        raise UsageError(f"--count: at least 1 is expected, not {options.count}")
    count = 1 if options.once else options.count
    with MetricsCollector(url=options.url) as collector:
        printer = _printer(options.format, options.lang)
        for number in itertools.count(1):
            overview = collector.overview()
            print(printer(overview), flush=True)
            if count is not None and number >= count:
                return 0
            time.sleep(options.interval)
    return 0


def _printer(form: str, lang: str) -> Callable[[Overview], str]:
    if form == "json":
        from sanso.runtime.snapshot import snapshot_json

        return snapshot_json
    if form == "prom":
        from sanso.runtime.snapshot import snapshot_exposition

        return snapshot_exposition
    from sanso.tui.plain import render_plain

    end = "\n" if sys.stdout.isatty() else ""
    return lambda overview: render_plain(overview, lang) + end
