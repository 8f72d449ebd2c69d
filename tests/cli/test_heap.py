from __future__ import annotations

import platform
import subprocess
import sys

import pytest

HEAPS = """
import sys, threading
from sanso.cli.heap import share_heap
if sys.argv[1] == "shared":
    share_heap()
gate = threading.Barrier(9)
def work():
    held = [bytearray(10_000) for _ in range(50)]
    gate.wait()
    gate.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
gate.wait()
starts = (int(line.split("-")[0], 16) for line in open("/proc/self/maps") if " rw-p " in line)
print(sum(start % (64 << 20) == 0 for start in starts))  # where glibc's further heaps begin
gate.wait()
"""


def heaps(how: str) -> int:
    return int(subprocess.run([sys.executable, "-c", HEAPS, how], capture_output=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="not glibc")
def test_threads_share_a_heap() -> None:
    assert heaps("each") > 2
    assert heaps("shared") <= 1
