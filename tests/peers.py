"""Real programs that tests run against: found, or skipped with a reason; in CI a missing one fails."""

from __future__ import annotations

import os
import secrets
import shutil
import socket

import pytest

_given: set[int] = set()
"""Ports that this process gave out: two programs started one after the other must not get the same."""


def require_program(name: str) -> str:
    """The path of a program that a user would have beside Sanso; skips the test where it is not installed."""
    found = shutil.which(name)
    if found:
        return found
    if os.environ.get("SANSO_REQUIRE_PEERS") == "1":
        pytest.fail(f"{name} is not installed, and SANSO_REQUIRE_PEERS=1")
    pytest.skip(f"{name} is not installed")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens at, never given twice by this process.

    It lies below the ports that systems give to outgoing connections and to those who bind port 0 (from 32768 on), so
    nobody is given it by chance between this call and the moment when a program that is still starting listens there.
    """
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
