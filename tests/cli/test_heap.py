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


KEPT = """
from sanso.cli.heap import give_back, share_heap
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
def faults():
    return int(open("/proc/self/stat").read().rpartition(")")[2].split()[7])
assert share_heap()
def question():
    held = [bytearray(4 << 20) for _ in range(20)]  # as the arrays of an answer
question()
before = faults()
for _ in range(10):
    question()
print(faults() - before)
kept = resident()
give_back()
print(kept - resident())
"""


def heaps(how: str) -> int:
    return int(subprocess.run([sys.executable, "-c", HEAPS, how], capture_output=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="not glibc")
def test_threads_share_a_heap() -> None:
    assert heaps("each") > 2
    assert heaps("shared") <= 1


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="not glibc")
def test_memory_is_kept_from_one_question_to_the_next_and_then_given_back() -> None:
    found = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, check=True, text=True).stdout
    faults, given_back = map(int, found.split())
    assert faults < 1000  # of the 200,000 pages that ten questions use
    assert given_back > 60 << 20
