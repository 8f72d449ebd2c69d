"""`sanso top`: the live dashboard; plain lines where there is no terminal."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from sanso.cli.options import (
    Subcommands,
    add_language_option,
    add_monitor_options,
    add_server_options,
    configuration,
    seconds,
)
from sanso.model.errors import ClientError, StoreBusyError, UsageError

if TYPE_CHECKING:
    from sanso.client.base import Client

_SHORTEST_S = 0.5


def add_to(commands: Subcommands) -> None:
    """Register the command."""
    parser = commands.add_parser("top", help="the live dashboard (the default command)")
    add_screen_options(parser)
    add_server_options(parser)
    add_monitor_options(parser)
    parser.set_defaults(run=run)


def add_screen_options(parser: argparse.ArgumentParser) -> None:
    """What the screen shows and how often."""
    parser.add_argument(
        "--mode", choices=("dashboard", "perf"), default="dashboard", help="organisation and performance, or the latter"
    )
    perf = parser.add_mutually_exclusive_group()
    perf.add_argument("--with-perf", action="store_true", default=True, help="performance beside the organisation")
    perf.add_argument("--no-perf", action="store_false", dest="with_perf", help="the organisation only")
    parser.add_argument("--interval", type=seconds, default=2.0, metavar="S", help="seconds between refreshes (2)")
    parser.add_argument("--once", action="store_true", help="print once and end")
    add_language_option(parser)


def run(options: argparse.Namespace) -> int:
    """Attach to whoever watches this machine already, else watch it here; then show."""
    if options.interval < _SHORTEST_S:
        raise UsageError(f"--interval: at least {_SHORTEST_S} s is expected")
    with watching(options) as client:
        return show(client, options)


def show(client: Client, options: argparse.Namespace) -> int:
    """The dashboard on a terminal, plain lines elsewhere."""
    if options.once or not (sys.stdout.isatty() and sys.stdin.isatty()) or os.environ.get("TERM") == "dumb":
        return _plain(client, options)
    from sanso.tui.app import SansoApp

    app = SansoApp(client, mode=options.mode, with_perf=options.with_perf, interval=options.interval, lang=options.lang)
    app.run()
    return app.return_code or 0


@contextmanager
def watching(options: argparse.Namespace) -> Iterator[Client]:
    """A client of a running server, or of a monitor in this process that ends with the block."""
    from sanso.runtime.attach import running_server

    config = configuration(options)
    server = running_server(config, options.url)
    if server is not None:
        with closing(server):
            yield server
        return
    from sanso.cli.hosting import Hosting

    try:
        hosting = Hosting.open(config, must_listen=False)
    except StoreBusyError as error:
        raise ClientError(f"{error}; give --data for a history of your own") from error
    with hosting:
        yield hosting.monitor.client


def _plain(client: Client, options: argparse.Namespace) -> int:
    from sanso.tui.plain import render_plain

    if client.where == "this process":
        time.sleep(1.2)  # rates need a second sample: the first figures are true ones
    while True:
        print(render_plain(client.overview(), options.lang), flush=True)
        if options.once:
            return 0
        print(flush=True)
        time.sleep(options.interval)
