"""GPUs through the real nvidia-ml-py, on a stand-in for the driver's library."""

from __future__ import annotations

import ctypes.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanso.model.errors import SourceError
from sanso.model.labels import Labels, series_of
from sanso.sources.gpu_nvidia import GpuNvidia
from tests.peers import require_program

MIB = 1 << 20
MINUTE = 60_000
READER = """
import json, sys
from sanso.model.errors import SourceError
from sanso.model.frame import is_absent
from sanso.sources.gpu_nvidia import GpuNvidia

source = GpuNvidia()
kept = []
for line in sys.stdin:
    try:
        row = source.read(int(line))
    except SourceError as error:
        answer = {"error": str(error)}
    else:
        answer = {"row": None}
        if row is not None:
            kept.append(row.columns)
            cells = zip(row.columns.labels, row.values.tolist(), is_absent(row.values).tolist())
            answer = {"row": [[labels, value] for labels, value, gap in cells if not gap], "columns": id(row.columns)}
    print(json.dumps(answer), flush=True)
"""
H100 = {
    "name": "NVIDIA H100 80GB HBM3", "uuid": "GPU-aaaa", "gpu_percent": 87, "memory_percent": 41,
    "total": 81_559 * MIB, "reserved": 551 * MIB, "free": 60_000 * MIB, "celsius": 64,
    "power_mw": 612_345, "limit_mw": 700_000, "energy_mj": 123_456_789_012,
    "sm_mhz": 1_980, "mem_mhz": 2_619,
    "memory_v2": 0,
}  # fmt: skip
L4 = {
    "name": "NVIDIA L4", "uuid": "GPU-bbbb", "gpu_percent": 0, "memory_percent": 0, "total": 23_034 * MIB,
    "reserved": 0, "free": 23_034 * MIB, "celsius": 31, "power_mw": 16_500, "limit_mw": 72_000, "energy_mj": 0,
    "sm_mhz": 210, "mem_mhz": 405, "memory_v2": 0,
}  # fmt: skip


def expected(number: int, about: dict[str, object], **figures: float) -> dict[Labels, float]:
    labels = {"gpu": str(number), "UUID": str(about["uuid"]), "device": f"nvidia{number}"}
    labels["modelName"] = str(about["name"])
    return {series_of(f"DCGM_FI_DEV_{name}", **labels): value for name, value in figures.items()}


H100_SERIES = expected(
    0, H100, GPU_UTIL=87, MEM_COPY_UTIL=41, FB_USED=21_008, FB_FREE=60_000, FB_RESERVED=551, GPU_TEMP=64,
    POWER_USAGE=612.345, POWER_MGMT_LIMIT=700, TOTAL_ENERGY_CONSUMPTION=123_456_789_012, SM_CLOCK=1_980,
    MEM_CLOCK=2_619,
)  # fmt: skip


def l4_series(number: int) -> dict[Labels, float]:
    return expected(
        number, L4, GPU_UTIL=0, MEM_COPY_UTIL=0, FB_USED=0, FB_FREE=23_034, FB_RESERVED=0, GPU_TEMP=31,
        POWER_USAGE=16.5, POWER_MGMT_LIMIT=72, TOTAL_ENERGY_CONSUMPTION=0, SM_CLOCK=210, MEM_CLOCK=405,
    )  # fmt: skip


class Machine:
    """A process that reads GPUs, and the files that say what its GPUs are like."""

    def __init__(self, folder: Path, libraries: Path) -> None:
        self.folder = folder
        self.columns = 0
        environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries), "NVML_STAND_IN": str(folder)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def set(self, number: int, **figures: object) -> None:
        for figure, value in figures.items():
            (self.folder / f"{number}.{figure}").write_text(f"{value}\n")

    def lacks(self, number: int, *figures: str) -> None:
        for figure in figures:
            (self.folder / f"{number}.{figure}").unlink()

    def count(self, count: int) -> None:
        (self.folder / "count").write_text(f"{count}\n")

    def starts_with(self, error: str) -> None:
        (self.folder / "init").write_text(error)

    def read(self, now_ms: int) -> dict[Labels, float] | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{now_ms}\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise SourceError(answer["error"])
        if answer["row"] is None:
            return None
        self.columns = answer["columns"]
        return {tuple((name, text) for name, text in labels): value for labels, value in answer["row"]}

    def close(self) -> None:
        self._process.communicate(timeout=10)
        assert self._process.returncode == 0


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).with_name("nvml_stand_in.c")
    command = [require_program("cc"), "-shared", "-fPIC", "-Wall", "-Werror", "-Wno-format-truncation"]
    subprocess.run([*command, "-o", folder / "libnvidia-ml.so.1", source], check=True, timeout=60)
    return folder


@pytest.fixture
def machine(tmp_path: Path, library: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path, library)
    machine.set(0, **H100)
    machine.set(1, **L4)
    machine.count(2)
    yield machine
    machine.close()


def test_two_gpus_give_dcgms_series_in_dcgms_units(machine: Machine) -> None:
    assert machine.read(0) == H100_SERIES | l4_series(1)


def test_columns_stay_the_same_object_while_the_gpus_do(machine: Machine) -> None:
    machine.read(0)
    first = machine.columns
    machine.set(0, gpu_percent=12)
    again = machine.read(1_000)
    assert again is not None
    assert again[next(labels for labels in H100_SERIES if ("__name__", "DCGM_FI_DEV_GPU_UTIL") in labels)] == 12
    assert machine.columns == first


def test_what_is_given_is_what_is_announced(machine: Machine) -> None:
    found = machine.read(0)
    assert found is not None
    assert {dict(labels)["__name__"] for labels in found} == {family.name for family in GpuNvidia.families}


@pytest.mark.parametrize("broken", [False, True], ids=["no library", "no library but a file of its name"])
def test_no_library_is_nothing_to_measure(tmp_path: Path, broken: bool) -> None:
    if broken:
        (tmp_path / "libnvidia-ml.so.1").write_text("not a library")
    elif ctypes.util.find_library("nvidia-ml"):
        pytest.skip("this machine has NVIDIA's driver")
    machine = Machine(tmp_path, tmp_path)
    try:
        assert [machine.read(at) for at in (0, 1_000, MINUTE)] == [None, None, None]
    finally:
        machine.close()


@pytest.mark.parametrize("error", ["!9", "!4"], ids=["driver not loaded", "no permission"])
def test_a_driver_that_comes_later_is_found_within_a_minute(machine: Machine, error: str) -> None:
    machine.starts_with(error)
    assert machine.read(0) is None
    machine.starts_with("0")
    assert machine.read(30_000) is None
    assert machine.read(MINUTE) == H100_SERIES | l4_series(1)


def test_no_gpu_behind_the_driver_is_nothing_to_measure(machine: Machine) -> None:
    machine.count(0)
    assert machine.read(0) is None


def test_a_driver_that_refuses_is_an_error_until_it_does_not(machine: Machine) -> None:
    machine.starts_with("!18")  # its library was updated and the module was not: nvidia-smi fails just so
    for at in (0, 1_000, 2_000):
        with pytest.raises(SourceError, match=r"the NVIDIA driver does not answer: .*version"):
            machine.read(at)
    machine.starts_with("0")
    assert machine.read(MINUTE) == H100_SERIES | l4_series(1)


@pytest.mark.parametrize(
    ("figures", "series"),
    [
        (["power_mw"], {"POWER_USAGE"}),
        (["limit_mw", "energy_mj"], {"POWER_MGMT_LIMIT", "TOTAL_ENERGY_CONSUMPTION"}),
        (["gpu_percent"], {"GPU_UTIL", "MEM_COPY_UTIL"}),
        (["total"], {"FB_USED", "FB_FREE", "FB_RESERVED"}),
        (["sm_mhz"], {"SM_CLOCK"}),
        (["celsius"], {"GPU_TEMP"}),
    ],
)
def test_a_figure_that_a_device_lacks_is_absent(machine: Machine, figures: list[str], series: set[str]) -> None:
    machine.lacks(0, *figures)
    left = {labels: value for labels, value in H100_SERIES.items() if dict(labels)["__name__"][12:] not in series}
    assert len(left) == len(H100_SERIES) - len(series)
    assert machine.read(0) == left | l4_series(1)
    assert machine.read(1_000) == left | l4_series(1)


@pytest.mark.parametrize("code", ["!3", "!13", "!25"], ids=["unsupported", "unknown function", "other version"])
def test_an_old_driver_gives_memory_without_what_is_reserved(machine: Machine, code: str) -> None:
    machine.count(1)
    machine.set(0, memory_v2=code)
    found = machine.read(0)
    assert found is not None
    memory = {dict(labels)["__name__"]: value for labels, value in found.items() if "_FB_" in dict(labels)["__name__"]}
    assert memory == {"DCGM_FI_DEV_FB_USED": 21_559, "DCGM_FI_DEV_FB_FREE": 60_000}


def test_a_new_driver_without_the_old_temperature_call_is_asked_by_the_new_one(machine: Machine) -> None:
    machine.set(0, celsius="!13", celsius_v=64)
    assert machine.read(0) == H100_SERIES | l4_series(1)


def test_one_sensor_that_fails_costs_its_own_gap_and_is_asked_again(machine: Machine) -> None:
    machine.set(0, power_mw="!999")
    without = {labels: value for labels, value in H100_SERIES.items() if value != 612.345}
    assert machine.read(0) == without | l4_series(1)
    machine.set(0, power_mw=612_345)
    assert machine.read(1_000) == H100_SERIES | l4_series(1)


def test_a_lost_gpu_is_an_error_once_and_the_other_is_read_on(machine: Machine) -> None:
    machine.read(0)
    machine.set(0, gpu_percent="!15", handle="!15")
    with pytest.raises(SourceError, match="GPU 0: GPU is lost"):
        machine.read(1_000)
    assert machine.read(2_000) == l4_series(1)
    assert machine.read(MINUTE) == l4_series(1), "still lost when the devices are listed anew"
    machine.set(0, gpu_percent=87, handle=0)
    assert machine.read(MINUTE + 1_000) == l4_series(1)
    assert machine.read(2 * MINUTE) == H100_SERIES | l4_series(1), "reset: found again, without a restart"


def test_a_gpu_that_is_lost_alone_is_an_error_until_it_is_back(machine: Machine) -> None:
    machine.count(1)
    assert machine.read(0) == H100_SERIES
    machine.set(0, celsius="!15")
    for at in (1_000, 2_000, 3_000):
        with pytest.raises(SourceError, match="GPU 0: GPU is lost"):
            machine.read(at)
    machine.set(0, celsius=64)
    assert machine.read(MINUTE) == H100_SERIES


def test_a_gpu_whose_every_figure_fails_is_an_error_not_a_row_of_nothing(machine: Machine) -> None:
    machine.read(0)
    for figure in set(H100) - {"name", "uuid"}:
        machine.set(0, **{figure: "!999"})  # what a container gets that has lost its devices
    with pytest.raises(SourceError, match="GPU 0: answers nothing"):
        machine.read(1_000)
    assert machine.read(2_000) == l4_series(1)


def test_a_gpu_that_joins_and_one_that_leaves_are_seen_within_a_minute(machine: Machine) -> None:
    machine.count(1)
    assert machine.read(0) == H100_SERIES
    machine.count(2)
    assert machine.read(1_000) == H100_SERIES
    assert machine.read(MINUTE) == H100_SERIES | l4_series(1)
    machine.count(1)
    machine.set(0, **L4)
    assert machine.read(2 * MINUTE) == l4_series(0), "the number of a GPU may change, its UUID does not"


def test_what_one_gpu_cannot_do_is_not_held_against_the_next_in_its_place(machine: Machine) -> None:
    machine.lacks(0, "power_mw")
    machine.count(1)
    machine.read(0)
    machine.set(0, **H100)
    machine.count(2)
    assert machine.read(MINUTE) == H100_SERIES | l4_series(1)


def test_a_clock_set_back_does_not_stop_the_looking(machine: Machine) -> None:
    machine.starts_with("!9")
    assert machine.read(10 * MINUTE) is None
    machine.starts_with("0")
    assert machine.read(5 * MINUTE) == H100_SERIES | l4_series(1)
