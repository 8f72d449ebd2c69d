"""Options that several commands share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sanso.model.durations import parse_duration_ms
from sanso.model.errors import UsageError
from sanso.model.sizes import parse_bytes

if TYPE_CHECKING:  # the configuration needs rooms that `sanso --help` does not
    from sanso.runtime.config import Config

Subcommands = Any
"""argparse's own type of what `add_subparsers` returns is private."""
_T = TypeVar("_T")


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """`--url`: ask a running server."""
    parser.add_argument("--url", default=os.environ.get("SANSO_URL", ""), help="ask the server at this address")


def add_monitor_options(parser: argparse.ArgumentParser) -> None:
    """What a monitor in this process is told."""
    parser.add_argument("--config", type=Path, help="a sanso.toml, or a prometheus.yml")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where history is kept")
    parser.add_argument("--retention", metavar="DURATION", help="how long history is kept (15d)")
    parser.add_argument("--retention-size", metavar="SIZE", help="what history may take on disk (10GB; no limit)")
    parser.add_argument("--listen", metavar="HOST:PORT", help="where the HTTP API listens (127.0.0.1:3333)")
    parser.add_argument("--no-host", action="store_true", help="collect nothing of this machine: a pure store")


def add_language_option(parser: argparse.ArgumentParser) -> None:
    """`--lang`, by default from the environment."""
    parser.add_argument("--lang", choices=("en", "ja"), default=language(os.environ), help="language of the screen")


def language(environment: Any) -> str:
    """The language of a locale environment: ja for Japanese, else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return "ja" if environment[name].lower().startswith("ja") else "en"
    return "en"


def configuration(options: argparse.Namespace) -> Config:
    """The configuration of a file, changed by what the command line says.

    Raises:
        ConfigError: The file is wrong.
        UsageError: An option is wrong.
    """
    from sanso.runtime.config import load_config, split_address

    config = load_config(options.config)
    if options.data:
        config = replace(config, data=options.data.expanduser().absolute())
    if options.retention:
        config = replace(config, retention_ms=checked("--retention", parse_duration_ms, options.retention))
    if options.retention_size:
        config = replace(config, retention_bytes=checked("--retention-size", parse_bytes, options.retention_size))
    if options.listen:
        checked("--listen", split_address, options.listen)
        config = replace(config, listen=options.listen)
    if options.no_host:
        config = replace(config, collect_host=False)
    return config


def seconds(text: str) -> float:
    """A number of seconds, or a duration like 500ms; for argparse."""
    try:
        return parse_duration_ms(text) / 1000
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def checked(option: str, read: Callable[[str], _T], text: str) -> _T:
    """What `read` makes of an option's text.

    Raises:
        UsageError: It makes nothing of it.
    """
    try:
        return read(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
