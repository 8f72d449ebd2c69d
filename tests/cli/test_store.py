from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sanso.cli.main import main
from sanso.model.frame import Columns, Row
from sanso.model.labels import series_of
from sanso.store.store import Store


@pytest.fixture
def data(tmp_path: Path) -> str:
    store = Store.open(tmp_path / "data", retention_ms=10**13)
    named = Columns((series_of("a"), series_of("b")))
    for tick in range(1, 101):
        store.append("f", 1000 * tick, Row(named, np.array([1.0, tick])))
    store.close()
    return str(tmp_path / "data")


def test_stats_seal_check(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "stats", "--data", data, "--format", "json"]) == 0
    before = json.loads(capsys.readouterr().out)
    assert (before["series"], before["samples"], before["logged"], before["blocks"]) == (2, 200, 100, 0)
    assert main(["store", "seal", "--data", data]) == 0
    assert "200 samples of 2 series sealed" in capsys.readouterr().out
    assert main(["store", "stats", "--data", data]) == 0
    said = capsys.readouterr().out
    assert "rows not sealed yet  0" in said
    assert "oldest               1970-01-01T00:00:01+00:00" in said
    assert main(["store", "check", "--data", data]) == 0
    assert "whole: 200 samples" in capsys.readouterr().out
    assert main(["doctor", "--store", "--data", data, "--listen", "127.0.0.1:0"]) in (0, 1)
    assert f"ok  {data}: 2 series, 200 samples" in capsys.readouterr().out


def test_backup_and_restore(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy, other = str(tmp_path / "copy.db"), str(tmp_path / "other")
    assert main(["backup", copy, "--data", data]) == 0
    assert main(["restore", copy, "--data", other]) == 0
    assert main(["store", "stats", "--data", other, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["samples"] == 200


def test_a_wrong_directory_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "seal", "--data", str(tmp_path)]) == 1
    assert "holds no history: give the right --data" in capsys.readouterr().err
