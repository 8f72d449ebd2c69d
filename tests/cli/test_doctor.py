from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sanso.cli.main import main
from tests.cli.servers import serving
from tests.peers import free_port


@pytest.fixture(autouse=True)
def _nobody_else_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("SANSO_URL", raising=False)


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["doctor", *arguments])
    return code, capsys.readouterr().out


def config(folder: Path, listen: str) -> str:
    path = folder / "sanso.toml"
    path.write_text(f'listen = "{listen}"\notlp_listen = ""\n')
    return str(path)


def test_a_healthy_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = doctor(capsys, "--config", config(tmp_path, f"127.0.0.1:{free_port()}"))
    assert code == 0, said
    assert "ok  host_cpu: " in said
    assert "is free" in said
    assert "no history yet" in said


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = doctor(capsys, "--config", config(tmp_path, address))
    assert code == 1
    assert f"!!  {address} is taken" in said
    assert "--listen" in said


def test_a_running_server_and_its_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        code, said = doctor(capsys, "--data", str(data))
        assert code == 0
        assert f"a server answers at {server.url}" in said
        assert f"in use by process {server.process.pid}" in said
    code, said = doctor(capsys, "--data", str(data), "--config", config(tmp_path, f"127.0.0.1:{free_port()}"))
    assert code == 0
    assert "series" in said.splitlines()[-1]


def test_a_named_server_that_does_not_answer(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = doctor(capsys, "--url", "http://127.0.0.1:9")
    assert code == 1
    assert "!!" in said
    assert "http://127.0.0.1:9" in said
