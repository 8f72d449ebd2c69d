from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest

from sanso.cli.main import main
from tests.cli.servers import serving


def test_questions_of_every_kind_and_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(*arguments: str) -> str:
        assert main(["query", "--url", server.url, *arguments]) == 0
        return capsys.readouterr().out

    with serving(tmp_path) as server:
        server.wait_for("rate(node_cpu_seconds_total[1m])")
        assert "node_memory_MemTotal_bytes" in ask("node_memory_MemTotal_bytes")
        assert json.loads(ask("--format", "json", "1 + 1"))["result"][1] == "2"
        table = list(csv.reader(io.StringIO(ask("--format", "csv", "node_load1", "--start", "-10s", "--step", "1s"))))
        assert len(table) >= 3
        plot = ask("--start", "-5m", "node_memory_MemTotal_bytes")
        assert "node_memory_MemTotal_bytes" in plot
        at = str(time.time())
        assert ask("--time", at, "node_load1") != ""
        assert ask("--time", "-1h", "node_load1").strip() == "(no series)"
        assert main(["query", "--url", server.url, "sum("]) == 1
        assert capsys.readouterr().err.startswith("sanso: ")
        assert main(["query", "--url", server.url, "1", "--end", "-5m"]) == 2
        assert main(["query", "--url", server.url, "1", "--start", "-5m", "--end", "-1h"]) == 2


def test_a_server_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "--url", "http://127.0.0.1:9", "1"]) == 1
    said = capsys.readouterr().err
    assert "http://127.0.0.1:9" in said
    assert said.count("\n") == 1


def test_a_history_is_read_where_no_server_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path) as server:
        server.wait_for("node_load1")
    assert main(["query", "--data", str(tmp_path), "count(node_load1)"]) == 0
    assert capsys.readouterr().out.strip().endswith("1")


def test_the_limits_of_a_configuration_hold_for_a_closed_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history, config = tmp_path / "history", tmp_path / "sanso.toml"
    with serving(history) as server:
        server.wait_for("node_load1")

    def ask(limits: str, *arguments: str) -> str:
        config.write_text(f'data = "history"\n[query]\n{limits}\n', "utf-8")
        main(["query", "--config", str(config), *arguments])
        said = capsys.readouterr()
        return said.out.strip() + said.err.strip()

    assert ask("", "count(node_load1)").endswith("1")
    assert "too many samples" in ask("max_samples = 1", "node_cpu_seconds_total")
    assert "timed out" in ask('timeout = "1ms"', "sum(rate(node_cpu_seconds_total[1m:1ms]))")
    assert ask('lookback_delta = "1ms"', "--time", "-1s", "node_load1") == "(no series)"
    assert "sanso.toml:3" in ask("nonsense = 1", "node_load1")


def test_quantiles_have_bounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked of a server: value, low and high in every format."""

    def ask(*arguments: str) -> str:
        assert main(["query", "--url", server.url, "--bounds", *arguments]) == 0
        return capsys.readouterr().out.strip()

    buckets = " or ".join(
        f'label_replace(vector({n}), "le", "{le}", "", "")' for n, le in ((8, 1), (10, 2), (10, "Inf"))
    )
    classic = f"histogram_quantile(0.9, {buckets})"
    with serving(tmp_path) as server:
        assert ask(classic) == "{}  1.5  1 … 2"
        assert json.loads(ask("--format", "json", classic))["result"][0]["bounds"] == ["1", "2"]
        head, line = csv.reader(io.StringIO(ask("--format", "csv", classic)))
        assert head[2:] == ["value", "low", "high"]
        assert line[2:] == ["1.5", "1", "2"]
        assert "1 … 2" in ask("--start", "-1m", "--step", "30s", classic)
        ranged = json.loads(ask("--start", "-1m", "--step", "30s", "--format", "json", classic))["result"][0]
        assert [pair[1:] for pair in ranged["bounds"]] == [["1", "2"]] * 3
        assert main(["query", "--url", server.url, "--bounds", "sum("]) == 1


@pytest.mark.parametrize("text", ["yesterday", "nan", "inf", "1e400"])
def test_a_time_that_is_none_is_refused_with_what_to_write(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", "up", "--data", str(tmp_path), "--time", text]) == 2
    assert f'--time: "{text}" is not a time: write it as unix seconds' in capsys.readouterr().err
