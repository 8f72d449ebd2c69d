"""The real program in a real terminal."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.peers import free_port, require_program

pytestmark = pytest.mark.peer


class Tmux:
    """A terminal of its own."""

    def __init__(self, program: str, name: str) -> None:
        self._base = [program, "-L", name, "-f", os.devnull]

    def run(self, *arguments: str) -> str:
        return subprocess.run([*self._base, *arguments], capture_output=True, text=True, timeout=20).stdout

    def wait_for(self, wanted: str, seconds: float = 20) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            shown = self.run("capture-pane", "-p")
            if wanted in shown:
                return shown
            time.sleep(0.05)
        raise AssertionError(f"{wanted!r} did not come:\n{self.run('capture-pane', '-p')}")


@pytest.mark.parametrize("leaving", ["q", "C-c", "SIGTERM"])
def test_the_dashboard_starts_attaches_and_leaves_the_terminal_clean(tmp_path: Path, leaving: str) -> None:
    tmux = Tmux(require_program("tmux"), f"sanso-test-{os.getpid()}-{leaving}")
    sanso = shlex.join([sys.executable, "-m", "sanso", "--data", str(tmp_path), "--listen", f"127.0.0.1:{free_port()}"])
    environment = f"env LANG=C.UTF-8 LC_ALL=C.UTF-8 TERM=xterm-256color PYTHONPATH={os.environ.get('PYTHONPATH', '')}"
    tmux.run("new-session", "-d", "-x", "80", "-y", "24", f"{environment} PS1=ready: bash --norc")
    try:
        tmux.wait_for("ready:")
        tmux.run("send-keys", f"{sanso}", "Enter")
        tmux.wait_for("this process")
        assert "CPU" in tmux.wait_for("%")
        tmux.run("split-window", "-v", f"{environment} PS1=second: bash --norc")
        tmux.run("resize-pane", "-Z")
        tmux.wait_for("second:")
        tmux.run("send-keys", f"{sanso}", "Enter")
        tmux.wait_for("127.0.0.1:")  # a second one attaches to the first and says to whom
        tmux.run("send-keys", "q")
        tmux.wait_for("second:")
        tmux.run("kill-pane")
        if leaving == "SIGTERM":
            subprocess.run(["pkill", "-TERM", "-f", f"sanso --data {tmp_path}"], check=True)
        else:
            tmux.run("send-keys", leaving)
        tmux.wait_for("ready:")
        tmux.run("send-keys", "stty -a | grep -o ' -\\?echo ' ; echo left:$?", "Enter")
        left = tmux.wait_for("left:0")
        assert "Traceback" not in left
        assert " echo" in left
    finally:
        tmux.run("kill-server")
