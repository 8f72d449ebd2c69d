"""`sanso alerts`: check an alert file, run it, or try its handlers."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sanso.cli.options import Subcommands, add_server_options, seconds
from sanso.model.errors import NotifyError

if TYPE_CHECKING:
    from sanso.rules.file import AlertFile


def add_to(commands: Subcommands) -> None:
    """Register the command and its three actions."""
    parser = commands.add_parser("alerts", help="check an alert file, run it, or try its handlers")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, what, function in (
        ("check", "say whether the file is right", check),
        ("run", "judge the rules until interrupted", run_rules),
        ("test", "send a test alert to every handler", try_handlers),
    ):
        action = actions.add_parser(name, help=what)
        action.add_argument("--config", type=Path, required=True, metavar="FILE", help="alerts as JSON, TOML or YAML")
        action.set_defaults(run=function)
        if name == "run":
            add_server_options(action)
            action.add_argument("--interval", type=seconds, default=2.0, metavar="S", help="between two judgements (2)")


def check(options: argparse.Namespace) -> int:
    """Read the file; errors name file, line and field."""
    file = _load(options.config)
    handlers = ", ".join(settings["type"] for settings in file.handlers) or "none"
    print(f"{options.config}: {len(file.rules)} rules are right; handlers: {handlers}")
    return 0


def try_handlers(options: argparse.Namespace) -> int:
    """Send one alert through each handler; 1 where one fails."""
    from sanso.model.clock import SystemClock
    from sanso.model.status import AlertLevel
    from sanso.notify.base import Notification
    from sanso.notify.build import handler_from

    file = _load(options.config)
    notification = Notification(
        name="Test",
        level=AlertLevel.INFO,
        state="firing",
        message="A test of sanso alerts",
        metric_name="test",
        value=1.0,
        threshold=0.0,
        timestamp=SystemClock().now_ms() / 1000,
    )
    failed = 0
    for settings in file.handlers:
        handler = handler_from(settings)
        try:
            handler.send(notification)
        except NotifyError as error:
            failed += 1
            print(f"{handler.name}: failed: {error}")
        else:
            print(f"{handler.name}: sent")
    if not file.handlers:
        print(f"{options.config}: no handlers")
    return 1 if failed else 0


def run_rules(options: argparse.Namespace) -> int:
    """Judge the rules on the server that watches this machine, or on this machine itself."""
    from sanso.runtime.alerting import AlertRunner

    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with AlertRunner(_load(options.config), url=options.url) as runner:
        print(f"{len(runner.rules)} rules on {runner.where}, every {options.interval:g} s", flush=True)
        runner.tick()
        while not stopping.wait(options.interval):
            runner.tick()
    return 0


def _load(path: Path) -> AlertFile:
    from sanso.rules.file import load_alert_file
    from sanso.vitals.catalog import expressions, load

    return load_alert_file(path, expressions(load()))
