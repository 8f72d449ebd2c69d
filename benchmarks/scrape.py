"""Scraping 1,000 targets of 500 series each at 15 s: CPU and memory beside Prometheus and VictoriaMetrics.

The same configuration for each in turn, over real HTTP from a server of a process of its own; CPU is read from /proc
over whole intervals after five for the start, which is given apart; what was stored is counted by a query.
`python benchmarks/scrape.py [TARGETS SERIES INTERVALS]` (1000 500 4)
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from harness.servers import Server, free_port, get_json, installed, serving

INTERVAL_S = 15


def configuration(targets: int, port: int) -> str:
    """A Prometheus configuration."""
    addresses = [f"127.1.{n // 250}.{n % 250 + 1}:{port}" for n in range(targets)]
    return (
        f"global:\n  scrape_interval: {INTERVAL_S}s\nscrape_configs:\n- job_name: bench\n  static_configs:\n"
        f"  - targets: [{', '.join(addresses)}]\n"
    )


@contextlib.contextmanager
def target_server(port: int, series: int) -> Iterator[int]:
    """The targets; their process's number."""
    command = [sys.executable, "-m", "harness.targets", str(port), str(series)]
    folder = Path(__file__).resolve().parent
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()
            yield child.pid
        finally:
            child.terminate()


def asked(server: Server, expr: str) -> float:
    """The one number that a query answers."""
    result = get_json(server, f"/api/v1/query?query={quote(expr)}")["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def settle(server: Server, targets: int) -> None:
    """Until every target was scraped twice, and what is done once for new series is done."""
    time.sleep(5 * INTERVAL_S)
    for _ in range(4):
        if asked(server, 'sum(count_over_time(up{job="bench"}[10m]) > 1)') >= 2 * targets:
            return
        time.sleep(INTERVAL_S)
    raise SystemExit(f"{server.name}: not every target was scraped twice in {9 * INTERVAL_S} s")


def main() -> None:
    """Print cost and memory of each, and how many times Sanso's they are."""
    targets, series, intervals = (int(text) for text in sys.argv[1:4]) if len(sys.argv) > 3 else (1000, 500, 4)
    port = free_port()
    costs: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder, target_server(port, series):
        settings = Path(folder) / "scrape.yml"
        settings.write_text(configuration(targets, port), "utf-8")
        for name in installed():
            with serving(name, Path(folder), settings) as server:
                settle(server, targets)
                before = server.cpu_seconds()
                time.sleep(intervals * INTERVAL_S)
                cost = server.cpu_seconds() - before
                memory = server.pss_mb()
                up = asked(server, 'sum(up{job="bench"})')
                window = f"[{intervals * INTERVAL_S}s]"
                levels = 'bench_level_bytes{pool="p1"}'
                stored = asked(server, f"sum(count_over_time({levels}{window}))") / asked(server, f"count({levels})")
                missed = asked(server, "sanso_ticks_missed_total") if name == "sanso" else 0
            costs[name] = (cost, memory)
            samples = targets * series * intervals
            ticks = f", {missed:.0f} ticks missed" if name == "sanso" else ""
            print(
                f"{name:20} {cost:6.2f} CPU-seconds in {intervals * INTERVAL_S} s ({samples / cost:9,.0f} samples each)"
                f"   {before:5.1f} for the start   {memory:5.0f} MB PSS"
                f"   {up:.0f} up, {stored:.2f} of {intervals} samples a series stored{ticks}"
            )
            if up != targets or stored < intervals - 0.1:
                raise SystemExit(f"{name} did not keep up")
    own = costs["sanso"]
    for name, (cost, memory) in costs.items():
        if name != "sanso":
            print(f"{name} / sanso: {cost / own[0]:.2f} x the CPU, {memory / own[1]:.2f} x the memory")


if __name__ == "__main__":
    main()
