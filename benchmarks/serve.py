"""What watching one machine costs: `sanso serve` beside node_exporter + Prometheus, at 1 s, everything on.

Prints CPU (percent of one core) and PSS (MB) of each, measured from /proc over the same minutes on an otherwise idle
machine. `python benchmarks/serve.py [MINUTES]` (10).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no Pss in smaps_rollup")


@contextlib.contextmanager
def running(arguments: list[str]) -> Iterator[int]:
    child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait(timeout=20)


def wait_for(url: str) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def series(url: str, expr: str) -> int:
    with urllib.request.urlopen(f"{url}/api/v1/query?query={expr}", timeout=10) as answer:
        result = json.load(answer)["data"]["result"]
    return int(float(result[0]["value"][1])) if result else 0


def measure(pids: dict[str, list[int]], minutes: float) -> None:
    time.sleep(20)  # imports and first compactions are not the steady state
    begun = {name: sum(map(cpu_seconds, group)) for name, group in pids.items()}
    start = time.monotonic()
    marks = []
    for part in (0.2, 0.4, 0.6, 0.8, 1.0):
        time.sleep(max(start + minutes * 60 * part - time.monotonic(), 0))
        marks.append({name: sum(map(pss_mb, group)) for name, group in pids.items()})
    elapsed = time.monotonic() - start
    for name, group in pids.items():
        cpu = (sum(map(cpu_seconds, group)) - begun[name]) / elapsed * 100
        memory = " ".join(f"{mark[name]:.1f}" for mark in marks)
        print(f"{name:28s} CPU {cpu:5.2f} % of a core   PSS MB over time: {memory}")


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        sanso = [
            sys.executable,
            "-m",
            "sanso",
            "serve",
            "--quiet",
            "--data",
            f"{folder}/s",
            "--listen",
            f"127.0.0.1:{port}",
        ]
        pids = {"sanso serve": [stack.enter_context(running(sanso))]}
        wait_for(f"{url}/-/ready")
        if shutil.which("prometheus") and shutil.which("prometheus-node-exporter"):
            exporter, prom = free_port(), free_port()
            config = Path(folder, "p.yml")
            config.write_text(
                "global: {scrape_interval: 1s}\n"
                f"scrape_configs: [{{job_name: node, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]\n"
            )
            pids["node_exporter + Prometheus"] = [
                stack.enter_context(
                    running(["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{exporter}"])
                ),
                stack.enter_context(
                    running(
                        [
                            "prometheus",
                            f"--config.file={config}",
                            f"--storage.tsdb.path={folder}/p",
                            f"--web.listen-address=127.0.0.1:{prom}",
                        ]
                    )
                ),
            ]
        measure(pids, minutes)
        held = series(url, "count({__name__!=%22%22})")
        print(f"sanso holds {held} series at 1 s; target: CPU <= 1.0 %, PSS <= 60 MB, level")


if __name__ == "__main__":
    main()
