"""Real programs that tests run against: found, or skipped with a reason; in CI a missing one fails."""

from __future__ import annotations

import os
import shutil
import socket

import pytest


def require_program(name: str) -> str:
    """The path of a program that a user would have beside Sanso; skips the test where it is not installed."""
    found = shutil.which(name)
    if found:
        return found
    if os.environ.get("SANSO_REQUIRE_PEERS") == "1":
        pytest.fail(f"{name} is not installed, and SANSO_REQUIRE_PEERS=1")
    pytest.skip(f"{name} is not installed")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
