"""`sanso demo`: the dashboard on a small real workload."""

from __future__ import annotations

import argparse
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

from sanso.cli.options import Subcommands
from sanso.cli.top import add_screen_options, show
from sanso.model.errors import StoreError


def add_to(commands: Subcommands) -> None:
    """Register the command."""
    parser = commands.add_parser("demo", help="the dashboard on a small real workload: a service and eight workers")
    add_screen_options(parser)
    parser.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:3333", help="where the HTTP API listens")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Start the workload and a monitor with a history of its own; end both with the screen."""
    from sanso.cli.hosting import Hosting
    from sanso.demo.processes import DemoProcesses, demo_organisation
    from sanso.runtime.config import Config

    with tempfile.TemporaryDirectory(prefix="sanso-demo-") as folder:
        config = Config(listen=options.listen, otlp_listen="", data=Path(folder), organisation=demo_organisation())
        try:
            hosting = Hosting.open(config, must_listen=True)
        except StoreError:  # the port is taken, by a monitor of the user's most likely: any other will do
            hosting = Hosting.open(replace(config, listen="127.0.0.1:0"), must_listen=True)
        with hosting, DemoProcesses(hosting.url, _free_port(), Path(folder)):
            return show(hosting.monitor.client, options)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
