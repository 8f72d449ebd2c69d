"""Sanso, VictoriaMetrics and Prometheus as processes: started on free ports, measured from /proc, ended in the end.

With SANSO_PEERS=DIR the programs `prometheus` and `victoria-metrics` of that folder (their newest releases, say) are
peers too, named `prometheus:new` and `victoria-metrics:new`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_TICKS = os.sysconf("SC_CLK_TCK")
RETENTION = "100y"


@dataclass(frozen=True)
class Server:
    """A running server that speaks Prometheus's API."""

    name: str
    pid: int
    url: str
    data: Path

    def cpu_seconds(self) -> float:
        """CPU that the process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def pss_mb(self) -> float:
        """Memory of the process, shared pages divided, in MB."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no Pss in smaps_rollup")

    def disk_bytes(self) -> int:
        """What its folder holds."""
        return sum(path.stat().st_size for path in self.data.rglob("*") if path.is_file())


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _sanso(program: str, address: str, data: Path, scrape: Path | None) -> list[str]:
    settings = scrape or data / "sanso.toml"
    if scrape is None:
        settings.write_text('otlp_listen = ""\n', "utf-8")
    command = [program, "-m", "sanso", "serve", "--quiet", "--no-host", "--config", str(settings)]
    return [*command, "--data", str(data), "--retention", RETENTION, "--listen", address]


def _victoria_metrics(program: str, address: str, data: Path, scrape: Path | None) -> list[str]:
    return [
        program,
        f"-storageDataPath={data}",
        f"-httpListenAddr={address}",
        f"-retentionPeriod={RETENTION}",
        *([f"-promscrape.config={scrape}"] if scrape else []),
    ]


def _prometheus(program: str, address: str, data: Path, scrape: Path | None) -> list[str]:
    settings = scrape or data.parent / f"{data.name}.yml"
    if scrape is None:
        settings.write_text("global: {scrape_interval: 1h}\nstorage: {tsdb: {out_of_order_time_window: 1h}}\n", "utf-8")
    return [
        program,
        f"--config.file={settings}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address={address}",
        f"--storage.tsdb.retention.time={RETENTION}",
        "--web.enable-remote-write-receiver",
        "--web.enable-admin-api",
    ]


_KINDS = {
    "sanso": (_sanso, "/-/ready"),
    "victoria-metrics": (_victoria_metrics, "/health"),
    "prometheus": (_prometheus, "/-/ready"),
}
_NEW = ":new"


def _program(name: str) -> str:
    """What to start; empty where this machine has no such program."""
    if name == "sanso":
        return sys.executable
    kind = name.removesuffix(_NEW)
    if kind == name:
        return shutil.which(name) or ""
    folder = os.environ.get("SANSO_PEERS", "")
    return shutil.which(kind, path=folder) or "" if folder else ""


def installed() -> list[str]:
    """Sanso, and the peers that this machine has."""
    every = [name for kind in _KINDS for name in (kind, kind + _NEW)]
    return [name for name in every if name == "sanso" or _program(name)]


def get(server: Server, path: str) -> bytes:
    """One request of its own."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body


def get_json(server: Server, path: str) -> Any:
    """What a request answers, parsed."""
    return json.loads(get(server, path))


def asked_ms(server: Server, path: str, repeats: int) -> tuple[float, float, int]:
    """Median milliseconds, CPU milliseconds a question, and bytes of the answer, over one kept connection."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    took: list[float] = []
    size, cpu = 0, 0.0
    for turn in range(repeats + 2):
        if turn == 2:
            cpu = server.cpu_seconds()
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        took.append(time.perf_counter() - began)
        size = len(body)
        if answer.status != 200:
            raise RuntimeError(f"{server.name}: {answer.status} {body[:200]!r}")
    connection.close()
    return statistics.median(took[2:]) * 1000, (server.cpu_seconds() - cpu) * 1000 / repeats, size


@contextlib.contextmanager
def serving(name: str, folder: Path, scrape: Path | None = None, *, more: Sequence[str] = ()) -> Iterator[Server]:
    """The server of this name on an empty folder, ready for requests; scraping, where it is given a configuration.

    `more` are arguments of its own that it is started with besides.
    """
    command, ready = _KINDS[name.removesuffix(_NEW)]
    data = folder / name.replace(":", "-")
    data.mkdir(parents=True, exist_ok=True)
    address = f"127.0.0.1:{free_port()}"
    with subprocess.Popen(
        [*command(_program(name), address, data, scrape), *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        try:
            _wait(f"http://{address}{ready}")
            yield Server(name, child.pid, f"http://{address}", data)
        finally:
            child.terminate()
            child.wait(timeout=60)


def _wait(url: str) -> None:
    for _ in range(1500):
        with contextlib.suppress(OSError, urllib.error.HTTPError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{url} does not answer")
