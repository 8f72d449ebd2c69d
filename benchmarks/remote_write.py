"""Remote write: samples taken a CPU-second, beside VictoriaMetrics and Prometheus.

Four kinds of requests:

- `lockstep`: 1,000 series a request, one sample each, all of one time, from 5 senders in turn over one connection;
- `senders`: the same requests, each sender on a connection of its own, all at once;
- `prometheus`: 2,000 samples a request as a Prometheus sends them: the stream of its targets' scrapes (20 targets of
  300 to 800 series, each at its own millisecond, two samples of five zero) cut wherever a request is full;
- `2.0`: the same stream in messages of version 2.0, for servers that take them.

Requests are made before the clock starts. All servers run at once and take turns with the same bytes, so that a noisy
machine disturbs them alike; CPU is read from /proc. What is done later in the background counts too, less what an idle
server uses in that time.
`python benchmarks/remote_write.py [KIND] [REQUESTS]` (all kinds, 2,000).
"""

from __future__ import annotations

import contextlib
import http.client
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cramjam
import numpy as np

from harness.servers import Server, installed, serving
from sanso.sources.remote_write_schema import request_class

SERIES, SENDERS, TARGETS, BATCH = 1_000, 5, 20, 2_000
ROUNDS = 10
SETTLE_S = 3
V1 = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
V2 = {**V1, "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
Series = list[tuple[str, str]]
Sample = tuple[Series, float, int]


def lockstep(count: int) -> list[bytes]:
    """Requests of SENDERS senders in turn; values as counters and gauges have them."""
    random = np.random.default_rng(1)
    templates = [_lockstep_request(sender) for sender in range(SENDERS)]
    totals = np.zeros((SENDERS, SERIES))
    start = int(time.time() * 1000) - count * 200
    made = []
    for index in range(count):
        sender = index % SENDERS
        totals[sender] += random.integers(0, 1000, SERIES)
        for number, series in enumerate(templates[sender].timeseries):
            series.samples[0].value = totals[sender, number] / 100
            series.samples[0].timestamp = start + (index // SENDERS) * 1000
        made.append(packed(templates[sender]))
    return made


def _lockstep_request(sender: int) -> Any:
    built = request_class("v1")()
    for number in range(SERIES):
        name = "node_cpu_seconds_total" if number % 2 else "go_memstats_alloc_bytes"
        labels = {"__name__": name, "cpu": str(number), "instance": f"host-{sender}:9100", "job": "node"}
        series = built.timeseries.add()
        for key in sorted(labels):
            series.labels.add(name=key, value=labels[key])
        series.samples.add()
    return built


def stream(samples: int) -> Iterator[Sample]:
    """What a Prometheus scrapes, in the order in which it sends it."""
    random = np.random.default_rng(2)
    targets = [_target_series(number, int(random.integers(300, 800))) for number in range(TARGETS)]
    grows = [random.random(len(series)) > 0.4 for series in targets]
    values = [np.zeros(len(series)) for series in targets]
    offsets = sorted(random.integers(0, 15_000, TARGETS).tolist())
    scrapes = samples // sum(map(len, targets)) + 1
    start = int(time.time() * 1000) - scrapes * 15_000
    for scrape in range(scrapes):
        for number, series in enumerate(targets):
            values[number] += grows[number] * random.integers(0, 1000, len(series)) / 8
            at = start + scrape * 15_000 + offsets[number]
            for labels, value in zip(series, values[number].tolist(), strict=True):
                yield labels, value, at


def _target_series(target: int, count: int) -> list[Series]:
    where = {"instance": f"10.0.0.{target}:9100", "job": f"job-{target % 4}"}
    made = []
    for number in range(count):
        own = ({"cpu": str(number % 16), "mode": f"m{number // 16}"}, {"device": f"sd{number}"}, {})[number % 3]
        name = f"node_{('cpu_seconds_total', 'disk_io_now', f'memory_{number}_bytes')[number % 3]}"
        made.append(sorted({"__name__": name, **own, **where}.items()))
    return made


def batches(count: int) -> Iterator[list[Sample]]:
    """The stream, cut into requests."""
    batch: list[Sample] = []
    made = 0
    for sample in stream(count * BATCH):
        batch.append(sample)
        if len(batch) == BATCH:
            yield batch
            batch, made = [], made + 1
            if made == count:
                return


def as_v1(batch: list[Sample]) -> Any:
    """A request of version 1.0."""
    request = request_class("v1")()
    for labels, value, at in batch:
        series = request.timeseries.add()
        for name, text in labels:
            series.labels.add(name=name, value=text)
        series.samples.add(value=value, timestamp=at)
    return request


def as_v2(batch: list[Sample]) -> Any:
    """A request of version 2.0."""
    request = request_class("v2")()
    symbols = {"": 0, "Some help.": 1}
    for labels, value, at in batch:
        series = request.timeseries.add()
        series.labels.extend([symbols.setdefault(text, len(symbols)) for pair in labels for text in pair])
        series.samples.add(value=value, timestamp=at)
        series.metadata.type, series.metadata.help = 1, 1
    request.symbols.extend(symbols)
    return request


def packed(request: Any) -> bytes:
    """As it goes over the wire."""
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def send(server: Server, bodies: list[bytes], headers: dict[str, str]) -> bool:
    """One after another over one connection; whether the server knows such messages."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    for body in bodies:
        connection.request("POST", "/api/v1/write", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        if headers is V2 and "X-Prometheus-Remote-Write-Samples-Written" not in answer.headers:
            return False
        if answer.status not in (200, 204):
            raise RuntimeError(f"{server.name}: {answer.status} {said[:200]!r}")
    connection.close()
    return True


def send_at_once(server: Server, bodies: list[bytes]) -> None:
    """Each sender's requests one after another, the senders beside each other."""
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(lambda sender: send(server, bodies[sender::SENDERS], V1), range(SENDERS)))


def measure(kind: str, count: int) -> None:
    """Print samples a CPU-second of each, and how many times Sanso's share is theirs."""
    headers = V2 if kind == "2.0" else V1
    synchronous = kind in ("lockstep", "senders")
    each = SERIES if synchronous else BATCH
    bodies = lockstep(count) if synchronous else [
        packed(as_v2(batch) if kind == "2.0" else as_v1(batch)) for batch in batches(count)
    ]  # fmt: skip
    first = len(bodies) // 10 // SENDERS * SENDERS
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        servers = [running.enter_context(serving(name, Path(folder))) for name in installed()]
        servers = [server for server in servers if send(server, bodies[:first], headers)]
        time.sleep(SETTLE_S)
        idle = _resting(servers)
        costs = dict.fromkeys((server.name for server in servers), 0.0)
        for turn in range(ROUNDS):
            part = _part(bodies[first:], turn)
            for server in servers:
                before = server.cpu_seconds()
                if kind == "senders":
                    send_at_once(server, part)
                else:
                    send(server, part, headers)
                costs[server.name] += server.cpu_seconds() - before
        rates = {}
        for server, later in zip(servers, _resting(servers), strict=True):
            cost = costs[server.name] + max(later - idle[servers.index(server)], 0.0)
            rates[server.name] = (len(bodies) - first) * each / cost
            print(
                f"{kind:10} {server.name:18} {rates[server.name]:12,.0f} samples/CPU-second   {server.pss_mb():.0f} MB"
            )
    for name in rates:
        if name != "sanso":
            print(f"{kind:10} sanso / {name}: {rates['sanso'] / rates[name]:.2f}")


def _resting(servers: list[Server]) -> list[float]:
    """The CPU that each uses while nobody asks."""
    before = [server.cpu_seconds() for server in servers]
    time.sleep(SETTLE_S)
    return [server.cpu_seconds() - earlier for server, earlier in zip(servers, before, strict=True)]


def _part(bodies: list[bytes], turn: int) -> list[bytes]:
    size = -(-len(bodies) // ROUNDS // SENDERS) * SENDERS
    return bodies[turn * size : (turn + 1) * size]


def main() -> None:
    """Measure what was asked for."""
    arguments = sys.argv[1:]
    kinds = (
        [arguments.pop(0)] if arguments and not arguments[0].isdigit() else ["lockstep", "senders", "prometheus", "2.0"]
    )
    for kind in kinds:
        measure(kind, int(arguments[0]) if arguments else 2_000)


if __name__ == "__main__":
    main()
