"""The command line: chooses the command, and turns errors into one line and an exit code."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from sanso import __version__
from sanso.cli import alerts, collect, demo, doctor, query, serve, store, top
from sanso.model.errors import SansoError, UsageError

_COMMANDS = (top, serve, collect, alerts, query, store, demo, doctor)
GOOD, FAILED, WRONG_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 good, 1 failed, 2 wrong usage. Without a command: the dashboard."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    _end_in_order()
    try:
        options = parser.parse_args(_with_times(_with_command(given)))
        return int(options.run(options))
    except UsageError as error:
        return _said(error, WRONG_USAGE)
    except SansoError as error:
        return _said(error, FAILED)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `sanso … | head`: the reader had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD


def _end_in_order() -> None:
    """Make SIGTERM unwind like Ctrl-C, so that stores close and children end; commands may take it."""

    def terminated(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminated)


def _with_command(given: list[str]) -> list[str]:
    """`sanso --mode perf` means `sanso top --mode perf`."""
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        return ["top", *given]
    return given


def _with_times(given: list[str]) -> list[str]:
    """`--start -5m` as `--start=-5m`: argparse takes the value for an option of its own."""
    joined: list[str] = []
    for argument in given:
        if joined and joined[-1] in ("--start", "--end", "--time") and re.match(r"-[\d.]", argument):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _said(error: SansoError, code: int) -> int:
    print(f"sanso: {error}", file=sys.stderr)
    return code


def build_parser() -> argparse.ArgumentParser:
    """Every command and its options."""
    parser = argparse.ArgumentParser(
        prog="sanso",
        description="Watch an AI service in three layers: application, system, AI. Without a command: the dashboard.",
    )
    parser.add_argument("--version", action="version", version=f"sanso {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
