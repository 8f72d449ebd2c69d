"""The catalogue of vital signs: TOML files beside this module, read once a process when first asked for."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

from sanso.model.errors import ConfigError
from sanso.model.readings import Layer

_LAYERS: tuple[Layer, ...] = ("application", "system", "ai")


@dataclass(frozen=True)
class Vital:
    """One vital sign: what is asked, how it reads, when it worries.

    Attributes:
        name: The contract's name.
        layer: application, system or ai.
        expr: Plain PromQL; one series, or one for each value of `label`.
        unit: What `sanso.model.units.format_value` takes.
        title: A few words by language code (en, ja).
        help: One sentence by language code.
        warning: From here on a warning; None where it is only shown.
        critical: From here on critical.
        direction: "up": large values are bad; "down": small ones are.
        judge: What the thresholds are held against where it is not the value itself (a share of an organisation).
        label: The label whose every value has a reading of its own; empty for plain vitals.
        words: The status words: "usual" (Normal, Warning, Critical) or "workers" (Active, Degraded, Critical).
    """

    name: str
    layer: Layer
    expr: str
    unit: str
    title: dict[str, str]
    help: dict[str, str]
    warning: float | None = None
    critical: float | None = None
    direction: Literal["up", "down"] = "up"
    judge: str = ""
    label: str = ""
    words: Literal["usual", "workers"] = field(default="usual")

    @property
    def is_percentile(self) -> bool:
        """Whether it comes from a histogram, so that it is known as well as its bucket is narrow."""
        return "histogram_quantile(" in self.expr


@functools.cache
def load() -> tuple[Vital, ...]:
    """Every vital sign, layer by layer, in the files' order."""
    return tuple(vital for layer in _LAYERS for vital in _read(layer))


def expressions(vitals: Iterable[Vital]) -> dict[str, str]:
    """PromQL by vital name: for alert rules that name a vital."""
    return {vital.name: vital.expr for vital in vitals}


def _read(layer: Layer) -> list[Vital]:
    file = f"{layer}.toml"
    tables: dict[str, dict[str, Any]] = tomllib.loads(resources.files(__package__).joinpath(file).read_text("utf-8"))
    return [_vital(file, name, layer, table) for name, table in tables.items()]


def _vital(file: str, name: str, layer: Layer, table: dict[str, Any]) -> Vital:
    try:
        return Vital(name=name, layer=layer, **{**table, "expr": table["expr"].strip()})
    except (TypeError, KeyError) as error:
        raise ConfigError(file, f"a vital sign needs expr, unit, title and help: {error}", field=name) from error
