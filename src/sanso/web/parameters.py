"""Reading a request's parameters, from the query string or a form, as Prometheus does."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.requests import Request

from sanso.model.durations import parse_duration_ms
from sanso.model.errors import QueryError

_MOST_FIELDS = 10_000
_MOST_MS = 1 << 62
"""Times further away are cut to this: what is added to them must not run over."""
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d{1,4000}", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:inf(?:inity)?|nan)", re.IGNORECASE)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
_DURATION = re.compile(r"0|(?=.)(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
_EDGES_MS = {"-292273086-05-16T16:47:06Z": -_MOST_MS, "292277025-08-18T07:12:54.999999999Z": _MOST_MS}
"""The first and last time of Prometheus as its clients write them: no RFC 3339 has such years."""
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})[^=]{0,2}")
_UNREADABLE = "error parsing form values: "
_OVERFLOWS = 'cannot parse "{}" to a valid duration. It overflows int64'


class Parameters:
    """The parameters of one request; later ones of a name count too where several may be given."""

    def __init__(self, pairs: Sequence[tuple[str, str]], problem: str = "") -> None:
        self._pairs = pairs
        self._problem = problem

    @classmethod
    async def of(cls, request: Request) -> Parameters:
        """Of a request: its form, of a POST, then its query string."""
        body = await request.body() if request.method == "POST" else b""
        return cls.read(request.scope["query_string"], request.headers.get("content-type", ""), body)

    @classmethod
    def read(cls, query: bytes, content_type: str = "", body: bytes = b"") -> Parameters:
        """Form and query string; the form counts first. A field that cannot be read is left out: see `strict`.

        Raises:
            QueryError: One of them cannot be read.
        """
        form = body if content_type.partition(";")[0].strip() == "application/x-www-form-urlencoded" else b""
        pairs: list[tuple[str, str]] = []
        problem = ""
        for sent in (form, query):
            if sent:
                try:
                    text, wrong = _readable(sent.decode())
                    pairs += parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
                except ValueError as error:
                    raise QueryError(f"{_UNREADABLE}{error}") from error
                problem = problem or wrong
        return cls(pairs, problem)

    def strict(self) -> Parameters:
        """These; for where Prometheus wants every field to be one that can be read.

        Raises:
            QueryError: One is not.
        """
        if self._problem:
            raise QueryError(f"{_UNREADABLE}{self._problem}")
        return self

    def every(self, name: str) -> list[str]:
        """All values of a name."""
        return [value for key, value in self._pairs if key == name]

    def text(self, name: str, default: str = "") -> str:
        """The first value of a name."""
        return next((value for key, value in self._pairs if key == name), default)

    def time_ms(self, name: str, default: int | None = None) -> int:
        """A time: unix seconds or RFC 3339.

        Raises:
            QueryError: It is neither, or is missing without a default.
        """
        text = self.text(name)
        if not text and default is not None:
            return default
        if _FLOAT.fullmatch(text) and math.isfinite(seconds := float(text)):
            return round(max(-_MOST_MS, min(_MOST_MS, seconds * 1000)))
        if text in _EDGES_MS:
            return _EDGES_MS[text]
        try:
            if _RFC_3339.fullmatch(text):
                return round(datetime.fromisoformat(text.upper()).timestamp() * 1000)
        except ValueError:
            pass  # a thirteenth month
        optional = "" if default is None else f"invalid time value for '{name}': "
        raise invalid(name, f'{optional}cannot parse "{text}" to a valid timestamp')

    def duration_ms(self, name: str, default: int | None = None) -> int:
        """A duration: seconds or like 5m.

        Raises:
            QueryError: It is neither, or is missing without a default.
        """
        text = self.text(name)
        if not text and default is not None:
            return default
        if _FLOAT.fullmatch(text):
            if abs(seconds := float(text)) * 1e9 > 1 << 63:
                raise invalid(name, _OVERFLOWS.format(text))
            return math.trunc(seconds * 1000)
        if _NOT_FINITE.fullmatch(text):
            raise invalid(name, _OVERFLOWS.format(text))
        if not _DURATION.fullmatch(text):
            raise invalid(name, f'cannot parse "{text}" to a valid duration')
        return parse_duration_ms(text)

    def limit(self) -> int:
        """The most results; 0 for all.

        Raises:
            QueryError: It is not a whole number.
        """
        text = self.text("limit")
        if not text:
            return 0
        if not _WHOLE.fullmatch(text) or abs(int(text)) >= 1 << 63:
            why = "value out of range" if _WHOLE.fullmatch(text) else "invalid syntax"
            raise invalid("limit", f'strconv.Atoi: parsing "{text}": {why}')
        if int(text) < 0:
            raise invalid("limit", "limit must be non-negative")
        return int(text)

    def whole(self, name: str, default: int, problem: str) -> int:
        """A whole number.

        Raises:
            QueryError: With `problem`, where it is none.
        """
        text = self.text(name)
        if text and not re.fullmatch(r"[+-]?\d{1,18}", text):
            raise QueryError(problem)
        return int(text) if text else default


def _readable(text: str) -> tuple[str, str]:
    """The fields that can be read, as Go reads them, and what is wrong with the others."""
    if ";" not in text and not _BAD_ESCAPE.search(text):
        return text, ""
    kept, escape, semicolon = [], "", False
    for field in text.split("&"):
        bad = _BAD_ESCAPE.search(field)
        if ";" in field:
            semicolon = True
        elif bad:
            escape = escape or f'invalid URL escape "{bad[0]}"'
        else:
            kept.append(field)
    return "&".join(kept), "invalid semicolon separator in query" if semicolon else escape


def invalid(name: str, why: str) -> QueryError:
    """A parameter that cannot be taken, in Prometheus's words."""
    return QueryError(f'invalid parameter "{name}": {why}')
