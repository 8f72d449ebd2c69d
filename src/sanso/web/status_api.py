"""What the server says of itself: `status/*`."""

from __future__ import annotations

import os
import platform
import socket
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sanso.model.errors import QueryError
from sanso.model.labels import NAME
from sanso.model.matchers import Matcher
from sanso.model.native_histogram import part_of, plain
from sanso.web.answers import success
from sanso.web.door import Asked
from sanso.web.rules_api import moment
from sanso.web.services import Services

_MOST_ROWS = 10_000
_EVERYTHING = (Matcher(NAME, "!=", ""),)


def build_info(services: Services, _: Asked) -> Response:
    """The version."""
    built = {"version": services.version, "revision": "", "branch": "", "buildUser": "", "buildDate": ""}
    return success({**built, "goVersion": f"python{platform.python_version()}", "application": "sanso"})


def runtime_info(services: Services, _: Asked) -> Response:
    """How it runs."""
    loaded_ms, went_well = services.loaded()
    return success(
        {
            "startTime": moment(services.started_ms),
            "CWD": os.getcwd(),
            "hostname": socket.gethostname(),
            "serverTime": moment(services.clock.now_ms()),
            "reloadConfigSuccess": went_well,
            "lastConfigTime": moment(loaded_ms),
            "corruptionCount": 0,
            "goroutineCount": threading.active_count(),
            "GOMAXPROCS": os.cpu_count() or 1,
            "GOMEMLIMIT": 0,
            "GOGC": "",
            "GODEBUG": "",
            "storageRetention": services.flags.get("retention", ""),
            "timeSeriesCount": services.stats()["series"],
        }
    )


def store_info(services: Services, asked: Asked) -> Response:
    """What the store holds, and the metrics and labels of which there is most."""
    limit = asked.given.whole("limit", 10, "limit must be a positive number")
    if limit < 1:
        raise QueryError("limit must be a positive number")
    if limit > _MOST_ROWS:
        raise QueryError(f"limit must not exceed {_MOST_ROWS}")
    stats = services.stats()
    columns = services.reader.series(_EVERYTHING, -(1 << 62), 1 << 62)
    found = {plain(labels) if part_of(labels) else labels for labels in columns}  # a native histogram is one series
    metrics = Counter(value for labels in found for key, value in labels if key == NAME)
    pairs = Counter(pair for labels in found for pair in labels)
    names = Counter(key for key, _ in pairs)
    memory: Counter[str] = Counter()
    for key, value in pairs:
        memory[key] += len(value.encode(errors="replace"))
    return success(
        {
            "headStats": {
                "numSeries": len(found),
                "numLabelPairs": len(pairs),
                "chunkCount": stats.get("blocks", 0),
                "minTime": stats.get("first_ms", 0),
                "maxTime": stats.get("last_ms", 0),
            },
            "seriesCountByMetricName": _most(metrics, limit),
            "labelValueCountByLabelName": _most(names, limit),
            "memoryInBytesByLabelName": _most(memory, limit),
            "seriesCountByLabelValuePair": _most({f"{key}={value}": n for (key, value), n in pairs.items()}, limit),
            "sanso": dict(stats),
        }
    )


def flags(services: Services, _: Asked) -> Response:
    """What the process was told."""
    return success(dict(services.flags))


def config(services: Services, _: Asked) -> Response:
    """The configuration."""
    return success({"yaml": services.config_text()})


def replay(_services: Services, _: Asked) -> Response:
    """The log is replayed before the server answers at all: it is always done."""
    return success({"min": 0, "max": 0, "current": 0})


def blocks(_services: Services, _: Asked) -> Response:
    """Prometheus's blocks: history is held in another form, of which `status/tsdb` tells."""
    return success({"blocks": []})


def notifications(_services: Services, _: Asked) -> Response:
    """What the server has to tell who looks at its page: its state is told by `runtimeinfo` and the log."""
    return success([])


def _most(counts: Mapping[str, int], limit: int) -> list[dict[str, Any]]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"name": name, "value": count} for name, count in ordered[:limit]]
