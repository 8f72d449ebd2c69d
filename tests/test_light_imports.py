"""What an import may pull, seen from a fresh interpreter: the static graph cannot see everything."""

from __future__ import annotations

import subprocess
import sys
from ctypes.util import find_library

import pytest

HEAVY = {"numpy", "textual", "starlette", "psutil", "uvicorn", "rich", "opentelemetry", "google.protobuf"}


@pytest.mark.parametrize("module", ["sanso", "sanso.sdk", "sanso.cli.main"])
def test_import_is_light(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert not loaded & HEAVY


SERVING = """
import sys, tempfile, time
from pathlib import Path
from sanso.cli.hosting import Hosting
from sanso.runtime.config import Config

with tempfile.TemporaryDirectory() as folder:
    config = Config(data=Path(folder), listen="127.0.0.1:0", otlp_listen="")
    with Hosting.open(config, must_listen=True) as hosting:
        while not hosting.monitor.overview(int(time.time() * 1000)).sources:
            time.sleep(0.05)
print(*sys.modules)
"""
NEEDLESS = {"psutil", "pynvml", "rich", "textual", "opentelemetry", "google.protobuf", "jinja2", "apprise"}
"""What a server of one Linux machine without GPUs can do without, until somebody asks for it."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="psutil is for machines without /proc")
def test_watching_a_machine_loads_only_what_that_needs() -> None:
    done = subprocess.run([sys.executable, "-c", SERVING], check=True, capture_output=True, text=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "uvicorn" in loaded
    needless = NEEDLESS - ({"pynvml"} if find_library("nvidia-ml") else set())
    assert not loaded & needless


def test_public_names_resolve() -> None:
    import sanso

    for name in sanso.__all__:
        assert getattr(sanso, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sanso.nothing
