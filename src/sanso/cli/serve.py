"""`sanso serve`: watch without a screen, and answer over HTTP."""

from __future__ import annotations

import argparse
import logging
import queue
import signal
import sys
from dataclasses import replace

from sanso.cli.options import Subcommands, add_monitor_options, configuration


def add_to(commands: Subcommands) -> None:
    """Register the command."""
    parser = commands.add_parser("serve", help="watch in the background and answer over HTTP")
    add_monitor_options(parser)
    parser.add_argument("--admin", action="store_true", help="let the API delete series and copy the store")
    parser.add_argument("--quiet", action="store_true", help="say only what goes wrong")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; SIGHUP reads the configuration again."""
    from sanso.cli.heap import share_heap
    from sanso.cli.hosting import Hosting

    share_heap()
    config = replace(configuration(options), admin=options.admin)
    logging.basicConfig(
        level=logging.WARNING if options.quiet else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.put("stop"))
    if hasattr(signal, "SIGHUP"):  # Windows has none
        signal.signal(signal.SIGHUP, lambda *_: asked.put("reload"))
    with Hosting.open(config, must_listen=True, reread=lambda: configuration(options)) as hosting:
        for notice in hosting.monitor.notices:
            logging.getLogger("sanso").warning("%s", notice)
        logging.getLogger("sanso").info("watching; open %s", hosting.url)
        while asked.get() != "stop":
            hosting.reloader.reload()
    return 0
