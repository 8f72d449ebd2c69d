"""`sanso doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import argparse
import platform
import socket
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sanso import __version__
from sanso.cli.options import Subcommands, add_monitor_options, add_server_options, configuration

if TYPE_CHECKING:  # `sanso --help` needs none of it
    from sanso.model.readings import SourceReading

_GOOD, _NOTE, _BAD = "ok", "--", "!!"


def add_to(commands: Subcommands) -> None:
    """Register the command."""
    parser = commands.add_parser("doctor", help="say what works here, and what to do about the rest")
    add_server_options(parser)
    add_monitor_options(parser)
    parser.add_argument("--store", action="store_true", help="also read every block of the history (takes a while)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check everything; 1 where something that should work does not."""
    findings = [*_program(), *_sources(), *_ports(options), *_history(options)]
    for mark, what in findings:
        print(f"{mark}  {what}")
    return 1 if any(mark == _BAD for mark, _ in findings) else 0


def _program() -> list[tuple[str, str]]:
    system = f"{platform.system()} {platform.release()}"
    found = [(_GOOD, f"sanso {__version__}, Python {platform.python_version()}, {system}")]
    if sys.platform != "linux":
        found.append((_NOTE, "not Linux: the system layer has what psutil gives"))
    return found


def _sources() -> list[tuple[str, str]]:
    """Read every source twice: the second reading is the honest cost."""
    from sanso.model.clock import SystemClock
    from sanso.model.errors import SourceError
    from sanso.sources.host import host_sources

    clock, found = SystemClock(), []
    for source in host_sources():
        try:
            source.read(clock.now_ms())
            start = clock.monotonic()
            row = source.read(clock.now_ms() + 1)
            took = (clock.monotonic() - start) * 1e3
        except SourceError as error:
            found.append((_BAD, f"{source.name}: {error}"))
            continue
        if row is None:
            found.append((_NOTE, f"{source.name}: nothing to measure on this machine"))
        else:
            found.append((_GOOD, f"{source.name}: {len(row.values)} series in {took:.2f} ms"))
    return found


def _ports(options: argparse.Namespace) -> list[tuple[str, str]]:
    from sanso.model.errors import ClientError
    from sanso.runtime.attach import running_server
    from sanso.runtime.config import split_address

    config = configuration(options)
    try:
        server = running_server(config, options.url)
    except ClientError as error:
        return [(_BAD, str(error))]
    if server is not None:
        try:
            overview = server.overview()
        except ClientError as error:
            return [(_BAD, str(error))]
        finally:
            server.close()
        said = [(_GOOD, f"a server answers at {server.where}"), *((_BAD, notice) for notice in overview.notices)]
        return [*said, *_scrapes(overview.sources)]
    found = []
    doors = (config.listen, "--listen"), (config.otlp_listen, "otlp_listen in sanso.toml, or push to the API's port")
    for address, option in (door for door in doors if door[0]):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(split_address(address))
            except OSError as error:
                found.append((_BAD, f"{address} is taken ({error.strerror}): choose another with {option}"))
            else:
                found.append((_GOOD, f"{address} is free"))
    return found


def _scrapes(sources: Iterable[SourceReading]) -> list[tuple[str, str]]:
    """How a running server's scrape jobs do."""
    found = []
    for source in sources:
        if source.name.startswith("scrape:"):
            took = f"{source.samples} samples, {source.duration_seconds * 1e3:.0f} ms at most"
            found.append((_GOOD, f"{source.name}: {took}") if source.up else (_BAD, f"{source.name}: {source.error}"))
    return found


def _history(options: argparse.Namespace) -> list[tuple[str, str]]:
    from sanso.model.errors import StoreBusyError, StoreError
    from sanso.store.integrity import problems_in
    from sanso.store.store import Store

    config = configuration(options)
    if not config.data.is_dir():
        return [(_NOTE, f"{config.data}: no history yet")]
    try:
        store = Store.open(config.data, retention_ms=config.retention_ms)
    except StoreBusyError as error:
        found = problems_in(config.data) if options.store else []
        whole = ", whole" if options.store else ""
        used = (_GOOD, f"{config.data}: in use by process {error.pid}{whole}")
        return [(_BAD, f"{config.data}: {problem}; restore a backup") for problem in found] or [used]
    except StoreError as error:
        return [(_BAD, str(error))]
    stats = store.stats()
    found = store.upkeep.problems() if options.store and store.upkeep is not None else []
    store.close()
    if found:
        return [(_BAD, f"{config.data}: {problem}; restore a backup") for problem in found]
    return [(_GOOD, f"{config.data}: {stats.series} series, {stats.samples} samples, {stats.bytes / 2**20:.1f} MiB")]
