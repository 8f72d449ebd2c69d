"""OpenTelemetry's metric names, units and attributes in Prometheus's spelling."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from sanso.exposition.numbers import format_float
from sanso.model.frame import Family, FamilyType
from sanso.model.labels import Labels, labels_of

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

InstrumentKind: TypeAlias = Literal["gauge", "sum", "counter", "histogram", "exponential_histogram", "summary"]
"""A monotonic sum is a counter."""

_UNITS = {
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds",
    "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes",
    "TiBy": "tebibytes", "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes", "m": "meters",
    "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius", "Hz": "hertz", "1": "",
    "%": "percent",
}  # fmt: skip
_PER_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9:]+")
_NOT_IN_LABELS = re.compile(r"[^a-zA-Z0-9_]")
_TYPES: dict[InstrumentKind, FamilyType] = {
    "gauge": "gauge", "sum": "gauge", "counter": "counter", "histogram": "histogram",
    "exponential_histogram": "histogram", "summary": "summary",
}  # fmt: skip


def prometheus_name(name: str, unit: str, kind: InstrumentKind) -> str:
    """The Prometheus name of a metric; empty where nothing of the name can be spelt.

    Dots and other separators become underscores; the unit and `_total` or `_ratio` follow where they are missing.
    """
    tokens = [token for token in _NOT_IN_NAMES.split(name) if token]
    if not tokens:
        return ""
    main, per = _unit_words(unit)
    if main and main not in tokens:
        tokens += [main]
    if per and per not in tokens:
        tokens += ["per", per]
    ending = "total" if kind == "counter" else "ratio" if kind == "gauge" and unit == "1" else ""
    if ending:
        tokens = [token for token in tokens if token != ending] + [ending]
    joined = "_".join(tokens)
    return f"_{joined}" if joined[0].isdigit() else joined


def family_of(name: str, unit: str, kind: InstrumentKind, description: str) -> Family:
    """What is known of the series of that Prometheus name."""
    main, per = _unit_words(unit)
    word = "ratio" if unit == "1" and kind == "gauge" else "_per_".join(part for part in (main, per) if part)
    return Family(name=name, type=_TYPES[kind], help=description, unit=word)


def _unit_words(unit: str) -> tuple[str, str]:
    """`By/s` → bytes, second; annotations in braces say nothing."""
    main, _, per = unit.partition("/")
    return _unit_word(main, _UNITS), _unit_word(per, _PER_UNITS)


def _unit_word(unit: str, words: Mapping[str, str]) -> str:
    unit = unit.strip()
    if not unit or "{" in unit:
        return ""
    return _NOT_IN_NAMES.sub("_", words.get(unit, unit)).strip("_")


def label_name(key: str) -> str:
    """An attribute key as a label name; `__…` is Prometheus's own and gets a prefix, as does a leading digit."""
    name = _NOT_IN_LABELS.sub("_", key)
    return f"key_{name}" if name[:1].isdigit() or name.startswith("__") else name


def labels_of_attributes(attributes: Iterable[KeyValue]) -> dict[str, str]:
    """Label values by name; keys that become one name have their values joined by `;`, in the order of the keys."""
    labels: dict[str, str] = {}
    for pair in sorted(attributes, key=lambda pair: pair.key):
        name = label_name(pair.key)
        text = attribute_text(pair.value)
        if name and text:
            labels[name] = f"{labels[name]};{text}" if name in labels else text
    return labels


def attribute_text(value: AnyValue) -> str:
    """An attribute's value as a label value: bytes in base64, lists and maps as JSON."""
    kind = value.WhichOneof("value")
    if kind == "double_value":
        return format_float(value.double_value)
    plain = _plain(value)
    if isinstance(plain, str):
        return plain
    return "" if plain is None else json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: AnyValue) -> object:
    match value.WhichOneof("value"):
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value":
            return [_plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case None:
            return None
        case kind:
            plain: object = getattr(value, kind)
            return plain


def resource_labels(attributes: Iterable[KeyValue]) -> tuple[Labels, Labels]:
    """The identity (`job`, `instance`) and, where there is anything else, the labels of `target_info`."""
    identity: dict[str, str] = {}
    others: list[KeyValue] = []
    for pair in attributes:
        if pair.key in ("service.namespace", "service.name", "service.instance.id"):
            identity[pair.key] = attribute_text(pair.value)
        else:
            others.append(pair)
    service, namespace = identity.get("service.name", ""), identity.get("service.namespace", "")
    job = f"{namespace}/{service}" if namespace and service else service
    own = {"job": job, "instance": identity.get("service.instance.id", "")}
    known = labels_of_attributes(others)
    return labels_of(own), labels_of({**known, **own, "__name__": "target_info"}) if known else ()
