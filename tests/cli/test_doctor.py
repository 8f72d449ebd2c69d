from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sanso.cli.hosting import Hosting
from sanso.cli.main import main
from sanso.runtime.config import Config
from sanso.store.disk import Disk
from tests.cli.servers import serving
from tests.peers import free_port
from tests.sources.scrape.served import served


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


def test_a_taken_otlp_port_is_not_what_listen_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        path = tmp_path / "sanso.toml"
        path.write_text(f'listen = "127.0.0.1:{free_port()}"\notlp_listen = "{address}"\n')
        _, said = doctor(capsys, "--config", str(path))
    (line,) = (line for line in said.splitlines() if line.startswith("!!"))
    assert address in line
    assert "otlp_listen in sanso.toml" in line


def test_a_running_server_and_its_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        code, said = doctor(capsys, "--data", str(data))
        assert code == 0
        assert f"a server answers at {server.url}" in said
        assert f"in use by process {server.process.pid}" in said
        code, said = doctor(capsys, "--store", "--data", str(data))
        assert code == 0
        assert f"in use by process {server.process.pid}, whole" in said
    code, said = doctor(capsys, "--data", str(data), "--config", config(tmp_path, f"127.0.0.1:{free_port()}"))
    assert code == 0
    assert "series" in said.splitlines()[-1]


def test_a_named_server_that_does_not_answer(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = doctor(capsys, "--url", "http://127.0.0.1:9")
    assert code == 1
    assert "!!" in said
    assert "http://127.0.0.1:9" in said


def test_scrape_jobs_of_a_running_server_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served() as pages:
        job = '[[scrape]]\njob = "{}"\nurl = "http://{}/metrics"\ninterval = "100ms"\n'
        settings = job.format("good", pages.address) + job.format("bad", "127.0.0.1:1")
        with serving(tmp_path / "data", settings=settings) as server:
            server.wait_for('up{job="bad"}')
            server.wait_for('up{job="good"}')
            code, said = doctor(capsys, "--url", server.url)
    assert code == 1
    assert "ok  scrape:good: 1 samples" in said
    assert "!!  scrape:bad: 1 of 1 targets are down; 127.0.0.1:1: dial tcp 127.0.0.1:1: connection refused" in said


def test_what_a_running_server_has_to_say_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Disk, "notice", property(lambda _: "history cannot be written", lambda *_: None), raising=False)
    config = Config(listen=f"127.0.0.1:{free_port()}", otlp_listen="", data=tmp_path / "data", collect_host=False)
    with Hosting.open(config, must_listen=True) as hosting:
        code, said = doctor(capsys, "--data", str(tmp_path / "data"), "--url", hosting.url)
    assert code == 1
    assert "!!  history cannot be written" in said
