"""Reading a request's parameters, from the query string or a form, as Prometheus does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.requests import Request

from sanso.model.durations import parse_duration_ms
from sanso.model.errors import QueryError

_MOST_FIELDS = 10_000


class Parameters:
    """The parameters of one request; later ones of a name count too where several may be given."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    @classmethod
    async def of(cls, request: Request) -> Parameters:
        """Query string and, of a POST, the form."""
        pairs = list(request.query_params.multi_items())
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if request.method == "POST" and kind == "application/x-www-form-urlencoded":
            try:
                pairs += parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
            except ValueError as error:
                raise QueryError(f"the form cannot be read: {error}") from error
        return cls(pairs)

    def every(self, name: str) -> list[str]:
        """All values of a name."""
        return [value for key, value in self._pairs if key == name]

    def text(self, name: str, default: str = "") -> str:
        """The first value of a name."""
        found = self.every(name)
        return found[0] if found else default

    def time_ms(self, name: str, default: int | None = None) -> int:
        """A time: unix seconds or RFC 3339.

        Raises:
            QueryError: It is neither, or is missing without a default.
        """
        text = self.text(name)
        if not text and default is not None:
            return default
        try:
            seconds = float(text)
            if math.isfinite(seconds):
                return round(seconds * 1000)
        except ValueError:
            pass
        try:
            return round(datetime.fromisoformat(text).timestamp() * 1000)
        except (ValueError, OverflowError) as error:
            raise _invalid(name, f'cannot parse "{text}" to a valid timestamp') from error

    def duration_ms(self, name: str) -> int:
        """A duration: seconds or like 5m.

        Raises:
            QueryError: It is neither.
        """
        text = self.text(name)
        try:
            return parse_duration_ms(text)
        except ValueError as error:
            raise _invalid(name, f'cannot parse "{text}" to a valid duration') from error

    def limit(self) -> int:
        """The most results; 0 for all.

        Raises:
            QueryError: It is not a whole number.
        """
        text = self.text("limit", "0")
        if not text.isdigit():
            raise _invalid("limit", "limit must be a whole number that is not negative")
        return int(text)


def _invalid(name: str, why: str) -> QueryError:
    return QueryError(f'invalid parameter "{name}": {why}')
