"""What series there are: `series`, `labels`, `label/<name>/values`, `metadata`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.responses import Response

from sanso.model.errors import QueryError
from sanso.model.labels import NAME, Labels
from sanso.model.matchers import Matcher
from sanso.model.native_histogram import COMPONENT, plain
from sanso.web.answers import listed, success
from sanso.web.door import Asked
from sanso.web.parameters import Parameters, invalid
from sanso.web.selectors import matchers_of
from sanso.web.services import Services

_FIRST_MS, _LAST_MS = -(1 << 62), 1 << 62
_EVERYTHING = (Matcher(NAME, "!=", ""),)
_ESCAPED = re.compile(r"_([0-9A-Fa-f]{1,6})_|__")


def series(services: Services, asked: Asked) -> Response:
    """The label sets of the series that satisfy one of the selectors."""
    if not asked.given.strict().every("match[]"):
        raise QueryError("no match[] parameter provided")
    limit = asked.given.limit()
    sets = []
    for text in asked.given.every("match[]"):
        try:
            sets.append(matchers_of(text))
        except QueryError as error:
            raise invalid("match[]", str(error)) from error
    return listed([dict(labels) for labels in sorted(_found(services, asked.given, sets))], limit)


def label_names(services: Services, asked: Asked) -> Response:
    """The names of labels."""
    limit = asked.given.limit()
    return listed(sorted({key for labels in _found(services, asked.given) for key, _ in labels}), limit)


def label_values(services: Services, asked: Asked) -> Response:
    """The values of one label."""
    name = unescaped(asked.name)
    if not name:
        raise QueryError(f'invalid label name: "{name}"')
    limit = asked.given.limit()
    return listed(
        sorted({value for labels in _found(services, asked.given) for key, value in labels if key == name}), limit
    )


def metadata(services: Services, asked: Asked) -> Response:
    """Types and help texts by metric name."""
    limit = asked.given.whole("limit", -1, "limit must be a number")
    asked.given.whole("limit_per_metric", -1, "limit_per_metric must be a number")  # there is one of each
    wanted = asked.given.text("metric")
    families = [family for family in services.reader.families().values() if wanted in ("", family.name)]
    shown = families[:limit] if limit >= 0 else families
    return success({f.name: [{"type": f.type, "help": f.help, "unit": f.unit}] for f in shown})


def unescaped(name: str) -> str:
    """A label name as its series carry it: `U__http_2e_status` is `http.status`, as clients write it in paths."""
    if not name.startswith("U__"):
        return name
    escaped = name[3:]
    found, end = [], 0
    for match in _ESCAPED.finditer(escaped):
        found.append(escaped[end : match.start()])
        if "_" in found[-1]:
            return name  # not written by the rules: taken as it is
        code = int(match[1], 16) if match[1] else ord("_")
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            return name
        found.append(chr(code))
        end = match.end()
    return name if "_" in escaped[end:] else "".join(found) + escaped[end:]


def _found(services: Services, given: Parameters, sets: Sequence[tuple[Matcher, ...]] = ()) -> set[Labels]:
    """The series of every selector, native histograms as people know them; of `match[]`, where none are given."""
    start, end = given.time_ms("start", _FIRST_MS), given.time_ms("end", _LAST_MS)
    sets = sets or [matchers_of(text) for text in given.every("match[]")]
    found: set[Labels] = set()
    for matchers in sets or [_EVERYTHING]:
        for labels in services.reader.series(matchers, start, end):
            found.add(plain(labels) if any(key == COMPONENT for key, _ in labels) else labels)
    return found
