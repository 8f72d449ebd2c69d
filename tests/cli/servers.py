"""Starting `sanso serve` as a user does, and asking it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers import free_port


class Served:
    """A server's process and address."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url

    def get(self, path: str, **parameters: str) -> Any:
        """A JSON answer."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        with urllib.request.urlopen(f"{self.url}{path}{query}", timeout=10) as answer:
            return json.load(answer)

    def query(self, expr: str) -> list[dict[str, Any]]:
        """An instant query's result."""
        found: list[dict[str, Any]] = self.get("/api/v1/query", query=expr)["data"]["result"]
        return found

    def wait_ready(self, seconds: float = 15) -> None:
        """Until it answers."""
        end = time.monotonic() + seconds
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/-/ready", timeout=1).close()
                return
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.02)

    def wait_for(self, expr: str, seconds: float = 15) -> list[dict[str, Any]]:
        """Until a query answers something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.query(expr):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{expr} stayed empty")


@contextmanager
def serving(data: Path, *, settings: str = "", url: str = "") -> Iterator[Served]:
    """A server on a free port of this machine; ended with the block unless it is gone already."""
    url = url or f"http://127.0.0.1:{free_port()}"
    data.mkdir(exist_ok=True)
    config = data / "sanso.toml"
    config.write_text(f'otlp_listen = ""\n{settings}', "utf-8")
    command = [sys.executable, "-m", "sanso", "serve", "--quiet", "--config", str(config), "--data", str(data)]
    with subprocess.Popen([*command, "--listen", url.removeprefix("http://")]) as process:
        try:
            server = Served(process, url)
            server.wait_ready()
            yield server
        finally:
            ended(process)


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a process unless it is gone already; one that does not go when told to is an error, and killed."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


@contextmanager
def running(command: list[str], ready: str = "") -> Iterator[None]:
    """A program that is not ours, until the block ends; from when it answers at `ready`, where that is given."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + 30
            while ready:
                try:
                    urllib.request.urlopen(ready, timeout=1).close()
                    break
                except OSError:
                    assert process.poll() is None
                    assert time.monotonic() < end
                    time.sleep(0.1)
            yield
        finally:
            ended(process)
