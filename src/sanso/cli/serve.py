"""`sanso serve`: watch without a screen, and answer over HTTP."""

from __future__ import annotations

import argparse
import logging
import queue
import signal
import sys
from dataclasses import replace

from sanso.cli.options import Subcommands, add_monitor_options, configuration

_GIVE_BACK_S = 30.0
"""Between two times at which memory that nobody uses is given back."""


def add_to(commands: Subcommands) -> None:
    """Register the command."""
    parser = commands.add_parser("serve", help="watch in the background and answer over HTTP")
    add_monitor_options(parser)
    parser.add_argument("--admin", action="store_true", help="let the API delete series and copy the store")
    parser.add_argument("--quiet", action="store_true", help="say only what goes wrong")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; SIGHUP reads the configuration again."""
    from sanso.cli.heap import give_back, share_heap
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
        while (word := _heard(asked)) != "stop":
            if word:
                hosting.reloader.reload()
            else:
                give_back()
    return 0


def _heard(asked: queue.SimpleQueue[str]) -> str:
    """The next word; empty where none comes for a while."""
    try:
        return asked.get(timeout=_GIVE_BACK_S)
    except queue.Empty:
        return ""
