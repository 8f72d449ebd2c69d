"""The pages say what is so: examples run, tables are complete, links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sanso.rules.file import load_alert_file
from sanso.runtime.config import load_config
from sanso.sdk import Telemetry
from sanso.vitals.catalog import expressions, load

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def test_the_reference_pages_are_as_the_code_is() -> None:
    command = [sys.executable, str(DOCS / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_are_python(page: Path) -> None:
    for number, block in enumerate(blocks(page, "python")):
        compile(block, f"{page.name}:{number}", "exec")


def test_alert_file_examples_are_right(tmp_path: Path) -> None:
    vitals = expressions(load())
    for suffix, language in ((".json", "json"), (".yml", "yaml")):
        for block in blocks(DOCS / "alerts.md", language):
            path = tmp_path / f"alerts{suffix}"
            path.write_text(block, "utf-8")
            assert load_alert_file(path, vitals).rules


def test_the_configuration_example_is_right(tmp_path: Path) -> None:
    path = tmp_path / "sanso.toml"
    path.write_text(blocks(DOCS / "configuration.md", "toml")[0], "utf-8")
    config = load_config(path)
    assert [worker.name for worker in config.organisation.workers] == ["PRESIDENT", "COORDINATOR"]


def test_the_sdk_example_runs() -> None:
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    program = "".join(blocks(DOCS / "sdk.md", "python"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=30, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


async def test_the_sdk_page_names_every_series_that_is_pushed() -> None:
    telemetry = Telemetry(service="x", endpoint="http://127.0.0.1:9", interval=3600)
    with telemetry.task("t"):
        pass
    worker = telemetry.worker("A")
    with worker.task("w"):
        worker.progress()
    worker.error(ValueError("x"))
    with telemetry.inference(model="m", provider="p", context_window=10, batch_limit=2) as call:
        call.first_token()
        call.batch(1)
        call.tokens(input=1, output=2, cached=1)
    telemetry.evaluation("m", score=0.5)

    async def app(scope: object, receive: object, send: object) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await telemetry.asgi(app)({"type": "http", "method": "GET", "path": "/"}, app, app)  # type: ignore[arg-type]
    pushed = {metric.name for room in (telemetry._registry, telemetry._organisation) for metric in room.metrics()}
    telemetry.close(timeout=0)
    table = (DOCS / "sdk.md").read_text("utf-8").partition("## What it pushes")[2]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == pushed


def test_the_scraping_example_is_right(tmp_path: Path) -> None:
    path = tmp_path / "sanso.toml"
    path.write_text(blocks(DOCS / "scraping.md", "toml")[0], "utf-8")
    jobs = load_config(path).scrape.jobs
    assert [job.name for job in jobs] == ["llm", "nodes", "discovered"]
    assert [len(rules) for rules in (jobs[2].relabel, jobs[2].metric_relabel)] == [1, 1]
