"""Samples sent by remote write 1.0: the same bytes to every server."""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

import cramjam
from numpy.typing import NDArray

from harness.servers import Server
from sanso.model.labels import Labels
from sanso.sources.remote_write_schema import request_class

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}


def requests(
    labels: Sequence[Labels], times: Sequence[int], values: NDArray, *, series: int = 1000, rows: int = 50
) -> Iterator[bytes]:
    """Requests of so many series and rows each: values [N, T] at times in ms, rows rising."""
    for begin in range(0, len(times), rows):
        span = range(begin, min(begin + rows, len(times)))
        for first in range(0, len(labels), series):
            message = request_class("v1")()
            for number in range(first, min(first + series, len(labels))):
                added = message.timeseries.add()
                for name, text in labels[number]:
                    added.labels.add(name=name, value=text)
                for place in span:
                    added.samples.add(value=float(values[number, place]), timestamp=int(times[place]))
            yield bytes(cramjam.snappy.compress_raw(message.SerializeToString()))


def send(server: Server, bodies: Iterable[bytes]) -> None:
    """One after another over one connection."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    for body in bodies:
        connection.request("POST", "/api/v1/write", body, HEADERS)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{server.name}: {answer.status} {said[:200]!r}")
    connection.close()
