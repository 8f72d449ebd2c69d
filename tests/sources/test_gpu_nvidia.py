"""The GPU source against a library with NVML's functions and known figures, loaded as the driver's own would be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.peers import require_program

PROGRAM = """
import json, sys
from sanso.model.errors import SourceError
from sanso.model.frame import is_absent
from sanso.sources.gpu_nvidia import GpuNvidia

source, now = GpuNvidia(), 0
for line in sys.stdin:
    state, step = line.split()
    with open(sys.argv[1], "w") as file:
        file.write("" if state == "none" else state)
    now += int(step)
    try:
        row = source.read(now)
    except SourceError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        continue
    if row is None:
        print("null", flush=True)
        continue
    gone = is_absent(row.values)
    print(json.dumps([
        [dict(labels), None if gone[i] else row.values[i]] for i, labels in enumerate(row.columns.labels)
    ]), flush=True)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).with_name("nvml_standin.c")
    compiler = require_program("cc")
    command = [compiler, "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(folder / "libnvidia-ml.so.1"), str(source)]
    subprocess.run(command, check=True, timeout=60)
    return folder


def read(library: Path | None, folder: Path, *steps: tuple[str, int]) -> list[Any]:
    """What the source gives at each step: (how many GPUs or "lost", milliseconds since the step before)."""
    environment = {**os.environ, "NVML_STANDIN": str(folder / "state"), "LD_LIBRARY_PATH": str(library or "")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder / "state")],
        input="".join(f"{state} {step}\n" for state, step in steps),
        capture_output=True,
        text=True,
        timeout=30,
        env=environment,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def figures(answer: list[tuple[dict[str, str], float | None]], gpu: str) -> dict[str, float | None]:
    return {labels["__name__"]: value for labels, value in answer if labels["gpu"] == gpu}


def test_every_gpu_gives_its_figures_in_dcgm_s_units(library: Path, tmp_path: Path) -> None:
    (answer,) = read(library, tmp_path, ("2", 0))
    assert figures(answer, "0") == {
        "DCGM_FI_DEV_GPU_UTIL": 87.0,
        "DCGM_FI_DEV_MEM_COPY_UTIL": 41.0,
        "DCGM_FI_DEV_FB_USED": 61440.0,
        "DCGM_FI_DEV_FB_FREE": 19968.0,
        "DCGM_FI_DEV_FB_RESERVED": 512.0,
        "DCGM_FI_DEV_GPU_TEMP": 71.0,
        "DCGM_FI_DEV_POWER_USAGE": 412.5,
        "DCGM_FI_DEV_POWER_MGMT_LIMIT": 700.0,
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": 123456789.0,
        "DCGM_FI_DEV_SM_CLOCK": 1980.0,
        "DCGM_FI_DEV_MEM_CLOCK": 2619.0,
    }
    about = {(labels["gpu"], labels["UUID"], labels["device"], labels["modelName"]) for labels, _ in answer}
    assert about == {("0", "GPU-aaaa", "nvidia0", "Stand-in A"), ("1", "GPU-bbbb", "nvidia1", "Stand-in B")}


def test_what_a_device_does_not_have_is_absent_and_the_rest_is_there(library: Path, tmp_path: Path) -> None:
    first, second = read(library, tmp_path, ("2", 0), ("2", 1000))
    assert first == second
    other = figures(first, "1")
    assert other["DCGM_FI_DEV_POWER_USAGE"] is None
    assert other["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"] is None
    assert other["DCGM_FI_DEV_FB_RESERVED"] is None
    assert (other["DCGM_FI_DEV_FB_USED"], other["DCGM_FI_DEV_GPU_UTIL"]) == (4096.0, 3.0)


def test_no_library_is_no_series_and_no_error(tmp_path: Path) -> None:
    assert read(None, tmp_path, ("2", 0), ("2", 1000)) == [None, None]


def test_a_driver_that_comes_later_is_found_within_a_minute(library: Path, tmp_path: Path) -> None:
    answers = read(library, tmp_path, ("0", 0), ("2", 1000), ("2", 60_000))
    assert answers[0] is None
    assert figures(answers[2], "0")["DCGM_FI_DEV_GPU_TEMP"] == 71.0


def test_a_gpu_that_is_lost_costs_its_ticks_and_comes_back(library: Path, tmp_path: Path) -> None:
    answers = read(library, tmp_path, ("2", 0), ("lost", 1000), ("lost", 1000), ("2", 60_000), ("1", 1000), ("1", 1000))
    assert "lost" in answers[1]["error"].lower()
    assert answers[2] is None or "error" in answers[2]
    assert figures(answers[3], "1")["DCGM_FI_DEV_GPU_UTIL"] == 3.0


def test_a_gpu_that_is_taken_away_is_noticed_within_a_minute(library: Path, tmp_path: Path) -> None:
    answers = read(library, tmp_path, ("2", 0), ("1", 1000), ("1", 60_000), ("2", 61_000))
    assert figures(answers[0], "1")
    assert not figures(answers[2], "1")
    assert figures(answers[3], "1")
