from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sanso.model.errors import SourceError
from sanso.sources.scrape.discovery_file import FileWatch
from sanso.sources.scrape.discovery_http import HttpWatch
from sanso.sources.scrape.settings import FileDiscovery, HttpDiscovery, TargetGroup
from tests.sources.scrape.answering import answering, page

JSON = "Content-Type: application/json"


def addresses(groups: list[TargetGroup]) -> list[str]:
    return [dict(target)["__address__"] for group in groups for target in group.targets]


def put(path: Path, text: str, tick: int) -> None:
    """Write a file as an editor does: whole, and with another time of change."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text, "utf-8")
    os.utime(beside, (tick, tick))
    beside.replace(path)


def test_files_are_read_again_when_they_change(tmp_path: Path) -> None:
    watch = FileWatch(FileDiscovery((str(tmp_path / "*.json"), str(tmp_path / "t.yml"))))
    assert not watch.look()
    assert watch.groups() == []
    put(tmp_path / "a.json", '[{"targets": ["a:1", "a:2"], "labels": {"zone": "x"}}, {"targets": []}]', 1)
    put(tmp_path / "t.yml", "- targets: [t:1]\n  labels: {version: 1.10, on: yes}\n", 1)
    assert watch.look()
    assert addresses(watch.groups()) == ["a:1", "a:2", "t:1"]
    first, _, third = watch.groups()
    assert dict(first.labels) == {"zone": "x", "__meta_filepath": str(tmp_path / "a.json")}
    assert dict(third.labels) == {"version": "1.10", "on": "yes", "__meta_filepath": str(tmp_path / "t.yml")}
    assert not watch.look()
    put(tmp_path / "a.json", '[{"targets": ["a:3"]}]', 2)
    assert watch.look()
    assert addresses(watch.groups()) == ["a:3", "t:1"]
    (tmp_path / "t.yml").unlink()
    assert watch.look()
    assert addresses(watch.groups()) == ["a:3"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"targets": ["a:1"]}',
        '[{"targets": "a:1"}]',
        '[{"targets": ["a:1"], "lables": {}}]',
        '[{"targets": ["a:1"], "labels": {"x": 1}}]',
        '[{"targets": [1]}]',
        '[{"targets": ["a:1"], "labels": {"": "x"}}]',
        "[3]",
    ],
)
def test_a_broken_file_keeps_what_it_gave_before(tmp_path: Path, text: str) -> None:
    watch = FileWatch(FileDiscovery((str(tmp_path / "a.json"),)))
    put(tmp_path / "a.json", '[{"targets": ["a:1"]}]', 1)
    watch.look()
    put(tmp_path / "a.json", text, 2)
    watch.look()
    assert addresses(watch.groups()) == ["a:1"]
    assert str(tmp_path / "a.json") in next(iter(watch.problems.values()))
    put(tmp_path / "a.json", '[{"targets": ["a:2"]}]', 3)
    watch.look()
    assert addresses(watch.groups()) == ["a:2"]
    assert watch.problems == {}


async def test_a_server_gives_groups() -> None:
    body = json.dumps([{"targets": ["a:1"], "labels": {"zone": "x"}}]).encode()
    async with answering(lambda _: page(body, JSON)) as server:
        watch = HttpWatch(HttpDiscovery(server.url(), 30_000))
        (group,) = await watch.groups()
        watch.close()
    assert addresses([group]) == ["a:1"]
    assert dict(group.labels) == {"zone": "x", "__meta_url": server.url()}
    assert "X-Prometheus-Refresh-Interval-Seconds: 30\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (page(b"[]", "Content-Type: text/html"), "unsupported content type"),
        (page(b"[", JSON), "is not JSON"),
        (page(b"{}", JSON), "a list of groups"),
        (page(b"", status="404 Not Found"), "HTTP status 404"),
    ],
)
async def test_what_is_not_an_answer_is_an_error(sent: bytes, problem: str) -> None:
    async with answering(lambda _: sent) as server:
        watch = HttpWatch(HttpDiscovery(server.url()))
        with pytest.raises(SourceError, match=problem):
            await watch.groups()
        watch.close()
