"""What watching one machine costs: `sanso serve` beside node_exporter + Prometheus, at 1 s, everything on.

Prints CPU (percent of one core) and PSS (MB) of each, measured from /proc over the same minutes on an otherwise idle
machine. With `scrape` Sanso scrapes that node_exporter too, besides looking itself: more than 1,000 series.
`python benchmarks/serve.py [MINUTES] [scrape]` (10).
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from urllib.parse import quote

from harness.servers import Server, free_port, get_json


@contextlib.contextmanager
def running(arguments: list[str], url: str) -> Iterator[Server]:
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            wait_for(url)
            yield Server(arguments[0], child.pid, url, Path())
        finally:
            child.terminate()
            child.wait(timeout=20)


def wait_for(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def measure(watched: dict[str, list[Server]], minutes: float) -> None:
    time.sleep(20)  # imports and first compactions are not the steady state
    begun = {name: sum(server.cpu_seconds() for server in group) for name, group in watched.items()}
    start = time.monotonic()
    marks = []
    for part in (0.2, 0.4, 0.6, 0.8, 1.0):
        time.sleep(max(start + minutes * 60 * part - time.monotonic(), 0))
        marks.append({name: sum(server.pss_mb() for server in group) for name, group in watched.items()})
    elapsed = time.monotonic() - start
    for name, group in watched.items():
        cpu = (sum(server.cpu_seconds() for server in group) - begun[name]) / elapsed * 100
        memory = " ".join(f"{mark[name]:.1f}" for mark in marks)
        print(f"{name:28s} CPU {cpu:5.2f} % of a core   PSS MB over time: {memory}")


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        address, exporter, peer = (f"127.0.0.1:{free_port()}" for _ in range(3))
        settings = Path(folder, "sanso.toml")
        job = f'[[scrape]]\njob = "node"\nurl = "http://{exporter}/metrics"\ninterval = "1s"\n'
        settings.write_text(job if "scrape" in sys.argv[2:] else "")
        command = [sys.executable, "-m", "sanso", "serve", "--quiet", "--config", str(settings)]
        command += ["--data", f"{folder}/s", "--listen", address]
        sanso = stack.enter_context(running(command, f"http://{address}"))
        watched = {"sanso serve": [sanso]}
        if which("prometheus") and which("prometheus-node-exporter"):
            config = Path(folder, "p.yml")
            config.write_text(
                "global: {scrape_interval: 1s}\n"
                f"scrape_configs: [{{job_name: node, static_configs: [{{targets: ['{exporter}']}}]}}]\n"
            )
            source = ["prometheus-node-exporter", f"--web.listen-address={exporter}"]
            storage = f"--storage.tsdb.path={folder}/p"
            store = ["prometheus", f"--config.file={config}", storage, f"--web.listen-address={peer}"]
            watched["node_exporter + Prometheus"] = [
                stack.enter_context(running(source, f"http://{exporter}")),
                stack.enter_context(running(store, f"http://{peer}")),
            ]
        measure(watched, minutes)
        (found,) = get_json(sanso, "/api/v1/query?query=" + quote('count({__name__!=""})'))["data"]["result"]
        print(f"sanso holds {found['value'][1]} series at 1 s; target: CPU <= 1.0 %, PSS <= 60 MB, level")


if __name__ == "__main__":
    main()
