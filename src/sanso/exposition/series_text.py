"""`name{label="value"}` as bytes of a page, read into labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from sanso.exposition.number_labels import spelled
from sanso.exposition.page import Limits
from sanso.model.errors import DecodeError
from sanso.model.labels import NAME, Labels, labels_of

_NAME = rb"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_LABEL_NAME = rb"[a-zA-Z_][a-zA-Z0-9_]*+"
_QUOTED = rb'"(?:[^"\\]++|\\.)*+"'
_BRACES = rb'\{(?:[^"}]++|' + _QUOTED + rb")*+\}"

TEXT_PREFIX = re.compile(
    rb"[ \t]*+(?:" + _NAME + rb"(?:[ \t]*+" + _BRACES + rb"[ \t]*+|[ \t]++)|" + _BRACES + rb"[ \t]*+)"
)
"""A sample line of text 0.0.4 up to its value."""
STRICT_PREFIX = re.compile(_NAME + rb"(?:" + _BRACES + rb")?+ ")
"""A sample line of OpenMetrics up to its value."""
BRACES = re.compile(_BRACES)
QUOTED = re.compile(_QUOTED)

_PARTS = re.compile(rb"[ \t]*+(" + _NAME + rb")?+[ \t]*+(?:\{(.*)\})?+[ \t]*+", re.DOTALL)
_LABEL = re.compile(
    rb"[ \t]*+("
    + _LABEL_NAME
    + rb"|"
    + _QUOTED
    + rb")[ \t]*+(?:=[ \t]*+("
    + _QUOTED
    + rb")[ \t]*+)?+(,|\Z|(?=[a-zA-Z_\"]))"
)
_STRICT_LABEL = re.compile(rb"(" + _LABEL_NAME + rb")=(" + _QUOTED + rb")(,|\Z)")
_PLAIN = re.compile(rb"(" + _NAME + rb')(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*+="[^"\\]*+"(?:,(?!\})|(?=\})))*+)\})?+ ?+')
_PLAIN_PAIR = re.compile(r'([^=,"]+)="([^"]*)"')
_BLANK_END = re.compile(rb"[ \t]*+\Z")
_ESCAPE = re.compile(rb'\\([\\"n])')
_ESCAPED = {b"\\": b"\\", b'"': b'"', b"n": b"\n"}


def unescape(text: bytes) -> bytes:
    r"""Resolve `\\`, `\"` and `\n`; another character after a backslash keeps it, as in Prometheus."""
    if b"\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: _ESCAPED[found[1]], text)


def shown(text: bytes) -> str:
    """The beginning of foreign bytes, fit for an error message."""
    return repr(text[:60].decode(errors="replace"))


def utf8(text: bytes, what: str) -> str:
    """The text of bytes.

    Raises:
        DecodeError: They are not UTF-8.
    """
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"{what} is not UTF-8: {shown(text)}") from error


def series_labels(prefix: bytes, limits: Limits, *, strict: bool) -> Labels:
    """The labels of a sample line's beginning.

    Args:
        prefix: What TEXT_PREFIX or STRICT_PREFIX matched.
        limits: Of labels.
        strict: OpenMetrics: no blanks, no trailing comma, no quoted names.

    Raises:
        DecodeError: It is malformed, too long, without a name, or a label stands twice.
    """
    plain = _plain_labels(prefix, limits)
    if plain is not None:
        return plain
    parts = _PARTS.fullmatch(prefix)
    if parts is None:
        raise DecodeError(f"a metric name is expected, not {shown(prefix)}")
    pairs = [(NAME, parts[1].decode())] if parts[1] is not None else []
    if parts[2]:
        # One more than allowed is enough to refuse them: a line may hold millions.
        pairs += islice(_strict_pairs(parts[2]) if strict else _pairs(parts[2]), limits.labels + 1)
    return checked_labels(pairs, limits)


class SeriesTexts:
    """Labels of lines' beginnings, remembered: the pages of targets of one kind are alike, and read once.

    Args:
        limits: Of labels.
        strict: As in `series_labels`.
        most: How many are remembered, of each number label.
    """

    def __init__(self, limits: Limits, *, strict: bool, most: int = 100_000) -> None:
        self._limits = limits
        self._strict = strict
        self._most = most
        self._known: dict[str, dict[bytes, Labels]] = {}

    def labels(self, prefix: bytes, number_label: str = "") -> Labels:
        """As `series_labels`; the value of the label that holds a number (`number_labels`) in its canonical form."""
        known = self._known.setdefault(number_label, {})
        labels = known.get(prefix)
        if labels is None:
            labels = series_labels(prefix, self._limits, strict=self._strict)
            if number_label:
                labels = spelled(labels, number_label, strict=self._strict)
            if len(known) >= self._most:
                known.clear()
            if self._most:
                known[prefix] = labels
        return labels


def _plain_labels(prefix: bytes, limits: Limits) -> Labels | None:
    """The labels where nothing is quoted, escaped, too long or wrong, as nearly always; None for a closer look."""
    found = _PLAIN.fullmatch(prefix)
    if found is None or len(prefix) > min(limits.label_name_bytes, limits.label_value_bytes):
        return None
    try:
        pairs = _PLAIN_PAIR.findall((found[2] or b"").decode())
    except UnicodeDecodeError:
        return None
    labels = dict(pairs)
    if len(labels) < len(pairs) or len(pairs) >= limits.labels or NAME in labels:
        return None
    labels[NAME] = found[1].decode()
    return labels_of(labels)


def label_pairs(braces: bytes, limits: Limits) -> Labels:
    """The labels of an exemplar: `{trace_id="…"}`.

    Raises:
        DecodeError: They are malformed.
    """
    if len(braces) <= 2:
        return ()
    return unique_labels(list(islice(_strict_pairs(braces[1:-1]), limits.labels + 1)), limits)


def _pairs(inside: bytes) -> Iterator[tuple[str, str]]:
    position = 0
    while not _BLANK_END.match(inside, position):
        found = _LABEL.match(inside, position)
        if found is None:
            raise DecodeError(f'a label like name="value" is expected at {shown(inside[position:])}')
        name, value, end = found.groups()
        quoted = name.startswith(b'"')
        text = utf8(unescape(name[1:-1]), "a name") if quoted else name.decode()
        if value is not None and text != NAME:
            yield text, utf8(unescape(value[1:-1]), f"the value of label {text!r}")
        elif value is None and quoted and (end or found.end() == len(inside)):
            yield NAME, text
        else:
            raise DecodeError(f'a label like name="value" is expected at {shown(inside[position:])}')
        position = found.end()


def _strict_pairs(inside: bytes) -> Iterator[tuple[str, str]]:
    position, comma = 0, b","
    while position < len(inside):
        found = _STRICT_LABEL.match(inside, position)
        if found is None:
            raise DecodeError(f'a label like name="value" is expected at {shown(inside[position:])}')
        name, value, comma = found.groups()
        yield name.decode(), utf8(unescape(value[1:-1]), f"the value of label {name.decode()!r}")
        position = found.end()
    if comma:
        raise DecodeError("a label is expected after the last comma")


def checked_labels(pairs: list[tuple[str, str]], limits: Limits) -> Labels:
    """The labels of a series.

    Raises:
        DecodeError: There are too many or too long ones, one twice, or no name among them.
    """
    labels = unique_labels(pairs, limits)
    if not any(name == NAME for name, _ in labels):
        raise DecodeError("a series without a metric name")
    return labels


def unique_labels(pairs: list[tuple[str, str]], limits: Limits) -> Labels:
    """Labels within the limits, none of them twice; else a DecodeError."""
    if len(pairs) > limits.labels:
        raise DecodeError(f"more labels than the limit of {limits.labels}")
    names = {name for name, _ in pairs}
    if len(names) < len(pairs):
        twice = next(name for name in sorted(names) if sum(name == other for other, _ in pairs) > 1)
        raise DecodeError(f"the label {twice!r} stands twice")
    if "" in names:
        raise DecodeError("a label with an empty name")
    for name, value in pairs:
        if len(name.encode()) > limits.label_name_bytes:
            raise DecodeError(
                f"the label name {name[:40]!r}… is longer than the limit of {limits.label_name_bytes} bytes"
            )
        if len(value.encode()) > limits.label_value_bytes:
            raise DecodeError(
                f"the value of label {name!r} is longer than the limit of {limits.label_value_bytes} bytes"
            )
    return labels_of(pairs)
