"""From an alert file's settings to notifiers: a file of this folder with a `TYPE` is its own registration."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from sanso.notify.base import Notifier


@functools.cache
def kinds() -> dict[str, ModuleType]:
    """The modules of this folder by the type they answer to."""
    names = [found.name for found in pkgutil.iter_modules([str(Path(__file__).parent)])]
    modules = [importlib.import_module(f"{__package__}.{name}") for name in names if name != "build"]
    return {module.TYPE: module for module in modules if hasattr(module, "TYPE")}


def handler_from(settings: dict[str, Any]) -> Notifier:
    """A notifier from settings that `rules.file` has checked."""
    notifier: Notifier = kinds()[settings["type"]].build(settings)
    return notifier
