"""Bytes a sample on disk: the same recording into Sanso, VictoriaMetrics and Prometheus by remote write.

Each server is told to put everything into its blocks, and what is needed to read them is counted: for Sanso the whole
file after `sanso store seal`; for VictoriaMetrics its parts and index after a flush, a merge and a stop, without its
caches; for Prometheus the blocks of a snapshot, without its write-ahead log. `python benchmarks/bytes.py`. (The
recording several times over would measure how well a repetition is found, not how well samples are kept.)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.recorded import Recorded
from harness.remote_write import requests, send
from harness.servers import Server, installed, serving


def _posted(server: Server, path: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(server.url + path, method="POST"), timeout=60) as answer:
        answer.read()


def _sanso(_: Server) -> Callable[[Path], list[Path]]:
    def sealed(data: Path) -> list[Path]:
        command = [sys.executable, "-m", "sanso", "store", "seal", "--config", str(data / "sanso.toml")]
        subprocess.run([*command, "--data", str(data)], check=True, capture_output=True)
        return list(data.glob("sanso.db*"))

    return sealed


def _victoria_metrics(server: Server) -> Callable[[Path], list[Path]]:
    for path in ("/internal/force_flush", "/internal/force_merge"):
        _posted(server, path)
    time.sleep(2)  # a merge is asked for, not waited for
    return lambda data: [data / "data", data / "indexdb"]


def _prometheus(server: Server) -> Callable[[Path], list[Path]]:
    _posted(server, "/api/v1/admin/tsdb/snapshot")
    return lambda data: [data / "snapshots"]


_SETTLED = {"sanso": _sanso, "victoria-metrics": _victoria_metrics, "prometheus": _prometheus}


def measured(name: str, recorded: Recorded, folder: Path) -> int:
    """Bytes that a server needs for the recording."""
    with serving(name, folder) as server:
        send(server, requests(recorded.labels, recorded.times.tolist(), recorded.values.T, rows=1))
        paths = _SETTLED[name.partition(":")[0]](server)
    found = paths(server.data)
    files = [file for path in found for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
    return sum(file.stat().st_size for file in files)


def main() -> None:
    """Print bytes a sample of each, and how many times Sanso's the others' are."""
    recorded = Recorded.load()
    recorded = replace(recorded, times=recorded.times - recorded.times[-1] + int(time.time() * 1000))
    samples = recorded.values.size
    found: dict[str, int] = {}
    print(f"{len(recorded.times)} s, {len(recorded.labels)} series, {samples} samples")
    with tempfile.TemporaryDirectory() as folder:
        for name in installed():
            found[name] = measured(name, recorded, Path(folder))
            share = found[name] / found["sanso"]
            print(f"{name:22} {found[name]:10,} bytes  {found[name] / samples:.3f} a sample  {share:.2f} x Sanso's")


if __name__ == "__main__":
    main()
