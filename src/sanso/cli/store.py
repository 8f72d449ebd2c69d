"""`sanso store seal|check|stats`, `sanso backup`, `sanso restore`: work on a history itself."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sanso.cli.options import Subcommands, configuration

if TYPE_CHECKING:
    from sanso.store.store import Store


def add_to(commands: Subcommands) -> None:
    """Register the commands."""
    parser = commands.add_parser("store", help="seal, check or measure a history that no server holds")
    parser.add_argument("action", choices=("seal", "check", "stats"), help="what to do")
    _add_data(parser)
    parser.add_argument("--clean", action="store_true", help="with seal: give back the bytes of deleted series")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="of stats")
    parser.set_defaults(run=run)
    parser = commands.add_parser("backup", help="copy the history into one file, while a server may be using it")
    parser.add_argument("file", type=Path, help="where to; must not exist yet")
    _add_data(parser)
    parser.set_defaults(run=run_backup)
    parser = commands.add_parser("restore", help="make a backup the history again")
    parser.add_argument("file", type=Path, help="the backup")
    parser.add_argument("--force", action="store_true", help="replace a history that is there")
    _add_data(parser)
    parser.set_defaults(run=run_restore)


def run(options: argparse.Namespace) -> int:
    """Seal, check or measure; 1 where the check finds something."""
    from sanso.store.schema import pack

    store = _opened(options)
    try:
        return {"seal": _seal, "check": _check, "stats": _stats}[options.action](store, options)
    finally:
        store.close()
        pack(configuration(options).data)


def run_backup(options: argparse.Namespace) -> int:
    """Copy the history."""
    from sanso.store.archive import backup

    size = backup(configuration(options).data, options.file.absolute())
    print(f"{options.file}: {size / 2**20:.1f} MiB")
    return 0


def run_restore(options: argparse.Namespace) -> int:
    """Put a backup back."""
    from sanso.store.archive import restore

    directory = configuration(options).data
    restore(options.file.absolute(), directory, force=options.force)
    print(f"{directory}: restored from {options.file}")
    return 0


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="a sanso.toml")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where history is kept")
    parser.set_defaults(retention="", retention_size="", listen="", no_host=False)


def _opened(options: argparse.Namespace) -> Store:
    from sanso.model.errors import StoreError
    from sanso.store.schema import FILE
    from sanso.store.store import Store

    config = configuration(options)
    if not (config.data / FILE).is_file():
        raise StoreError(f"{config.data} holds no history: give the right --data")
    return Store.open(config.data, retention_ms=config.retention_ms, tiers=config.tiers_ms)


def _seal(store: Store, options: argparse.Namespace) -> int:
    store.seal(clean=options.clean)
    if store.notice:
        print(store.notice)
        return 1
    stats = store.stats()
    print(f"{stats.samples} samples of {stats.series} series sealed in {stats.bytes / 2**20:.1f} MiB")
    return 0


def _check(store: Store, _: argparse.Namespace) -> int:
    found = store.upkeep.problems() if store.upkeep is not None else []
    for problem in found:
        print(problem)
    if not found:
        print(f"whole: {store.stats().samples} samples of {store.stats().series} series")
    return 1 if found else 0


def _stats(store: Store, options: argparse.Namespace) -> int:
    assert store.upkeep is not None  # it was opened from a directory
    stats, spread = store.stats(), store.upkeep.spread()
    each = stats.bytes / stats.samples if stats.samples else None
    found = {**asdict(stats), **asdict(spread), "bytes_per_sample": each}
    if options.format == "json":
        print(json.dumps(found))
        return 0
    shown = {
        "series": str(stats.series),
        "samples": str(stats.samples),
        "bytes": f"{stats.bytes} ({stats.bytes / 2**20:.1f} MiB)",
        "bytes a sample": "-" if each is None else f"{each:.3f}",
        "blocks": str(spread.blocks),
        "rows not sealed yet": str(spread.logged),
        "oldest": _time(spread.oldest_ms),
        "newest": _time(spread.newest_ms),
    }
    for name, value in shown.items():
        print(f"{name:<20} {value}")
    return 0


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds") if time_ms else "-"
