"""The demo's processes: started together, ended together, whatever happens to this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from sanso.demo.organisation import MEMBERS
from sanso.sources.workers import ConfiguredWorker, Organisation

_GRACE_S = 3.0


def demo_organisation() -> Organisation:
    """The eight workers, as a configuration would name them."""
    workers = tuple(ConfiguredWorker(name=m.name, icon=m.icon, role=m.role, reports_to=m.reports_to) for m in MEMBERS)
    return Organisation(expected=len(workers), workers=workers)


class DemoProcesses:
    """A service, its customers and an organisation, pushing to one OTLP endpoint.

    Args:
        endpoint: Where the sdk pushes: a base URL.
        port: Where the service listens; a free one.
        folder: For the model that the workers make.
    """

    def __init__(self, endpoint: str, port: int, folder: Path) -> None:
        self._environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OMP_NUM_THREADS": "1"}
        self._environment["OPENBLAS_NUM_THREADS"] = "1"
        self._children = [
            self._start("sanso.demo.service", str(port)),
            self._start("sanso.demo.load", str(port)),
            self._start("sanso.demo.workers", str(folder)),
        ]

    def ended(self) -> list[str]:
        """What ended by itself, and how: it should not."""
        codes = [(child.args, child.poll()) for child in self._children]
        return [f"{args!r} ended with {code}" for args, code in codes if code is not None]

    def close(self) -> None:
        """End all: each is asked by the closing of its input, and killed where it does not listen."""
        for child in self._children:
            if child.stdin is not None:
                child.stdin.close()
        for child in self._children:
            try:
                child.wait(timeout=_GRACE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def __enter__(self) -> DemoProcesses:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            start_new_session=True,  # Ctrl-C reaches the dashboard, which ends its children in order
        )
