"""Writes the reference pages from the code: `python docs/generate.py`; with `--check` it only says what has changed."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import sanso.sources
from sanso.cli.main import build_parser
from sanso.model.frame import Family
from sanso.runtime import own_figures, sampler
from sanso.sources.scrape import record
from sanso.vitals.catalog import Vital, load

FOLDER = Path(__file__).resolve().parent / "reference"
HEAD = "<!-- Written by docs/generate.py from the code: change it there. -->\n"
LAYERS = {"application": "Application", "system": "System", "ai": "AI"}


def main() -> int:
    check = "--check" in sys.argv[1:]
    changed = 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        path = FOLDER / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        changed += 1
        print(f"{path.name} {'differs from the code: make docs' if check else 'written'}")
        if not check:
            path.write_text(text, "utf-8")
    return 1 if check and changed else 0


def pages() -> dict[str, str]:
    """The reference pages by file name."""
    return {
        "commands.md": HEAD + "\n".join(commands()),
        "series.md": HEAD + "\n".join(series()),
        "vitals.md": HEAD + "\n".join(vitals()),
    }


def commands() -> Iterator[str]:
    yield "# Commands\n"
    yield "Exit codes: 0 good, 1 failed, 2 wrong usage. Errors are one line on standard error.\n"
    yield from described(build_parser(), "sanso", 2)


def described(parser: argparse.ArgumentParser, name: str, depth: int) -> Iterator[str]:
    """A command's options, then its own commands."""
    options = [action for action in parser._actions if not isinstance(action, argparse._SubParsersAction)]
    shown = [action for action in options if action.dest not in ("help", "version")]
    if shown:
        yield "| option | meaning |\n|---|---|"
        for action in shown:
            yield f"| {option(action)} | {cell(action.help or '')} |"
        yield ""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            said = {choice.dest: choice.help for choice in action._choices_actions}
            for command, inner in action.choices.items():
                yield f"{'#' * depth} `{name} {command}`\n"
                yield f"{sentence(said[command] or '')}\n"
                yield from described(inner, f"{name} {command}", depth + 1)


def option(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if not action.option_strings:
        return f"`{value}`"
    takes = "" if action.nargs == 0 else f" {value}"
    return ", ".join(f"`{cell(text + takes)}`" for text in action.option_strings)


def vitals() -> Iterator[str]:
    yield "# Vital signs\n"
    yield "What the dashboard, the page, `collect` and alerts show; each is a PromQL expression.\n"
    for layer, title in LAYERS.items():
        yield f"## {title}\n"
        for vital in load():
            if vital.layer == layer:
                yield from vital_lines(vital)


def vital_lines(vital: Vital) -> Iterator[str]:
    yield f"### `{vital.name}`\n"
    yield f"{vital.title['en']} ({vital.title['ja']}), {vital.unit}. {vital.help['en']}\n"
    if vital.warning is not None or vital.critical is not None:
        sign = "≥" if vital.direction == "up" else "≤"
        held = f" (held against `{cell(vital.judge.strip())}`)" if vital.judge else ""
        limits = [("warning", vital.warning), ("critical", vital.critical)]
        yield ", ".join(f"{word} {sign} {limit:g}" for word, limit in limits if limit is not None) + f"{held}\n"
    yield f"```promql\n{vital.expr}\n```\n"


def series() -> Iterator[str]:
    yield "# Series\n"
    yield "What Sanso itself collects. What applications push keeps its own names; see [the sdk](../sdk.md).\n"
    for name, families in sorted(collected().items()):
        yield f"## {name}\n"
        yield "| name | type | |\n|---|---|---|"
        for family in families:
            yield f"| `{family.name}` | {family.type} | {cell(family.help)} |"
        yield ""


def collected() -> dict[str, tuple[Family, ...]]:
    """Families by source, from every source that this package has, on whatever machine this runs."""
    found = {
        "sanso": own_figures.FAMILIES,
        "sanso_sources": sampler.FAMILIES,
        "each scraped target": record.REPORT_FAMILIES,
    }
    for module in pkgutil.walk_packages(sanso.sources.__path__, f"{sanso.sources.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            families = getattr(value, "families", None)
            if isinstance(value, type) and families and isinstance(families, tuple) and value.__module__ == module.name:
                found[value.name] = families
    return found


def sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
