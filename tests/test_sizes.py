"""Caps that keep the tree readable: good taste alone has prevented no god class."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "sanso"
ROOMS = {
    "model", "sdk", "sources", "exposition", "store", "promql", "rules", "notify", "vitals", "client", "runtime", "web",
    "tui", "cli", "demo",
}  # fmt: skip
MOST_LINES = 400
MOST_PUBLIC_METHODS = 15
FORBIDDEN = {"utils", "helpers", "common", "manager", "core", "misc"}

FILES = sorted(SOURCE.rglob("*.py"))


def test_every_room_is_in_the_design() -> None:
    found = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert found == ROOMS


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_file_is_small_and_says_what_it_is(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= MOST_LINES
    assert path.stem not in FORBIDDEN
    assert ast.get_docstring(ast.parse(text)), "a file says in one sentence what it is"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_classes_have_few_public_methods(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef):
            methods = [
                item.name
                for item in node.body
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and not item.name.startswith("_")
            ]
            assert len(methods) <= MOST_PUBLIC_METHODS, f"{node.name}: {methods}"
