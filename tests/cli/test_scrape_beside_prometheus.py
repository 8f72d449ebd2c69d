"""The same configuration given to Prometheus and to Sanso, against the same targets: the same series come of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.servers import Served
from tests.peers import free_port, require_program
from tests.sources.scrape.served import Pages, served

pytestmark = [pytest.mark.peer, pytest.mark.slow]

SETTINGS = r"""
global: {scrape_interval: 1s, scrape_timeout: 900ms}
scrape_configs:
- job_name: plain
  static_configs: [{targets: ["ADDRESS"], labels: {zone: a, version: 1.10}}]
- job_name: openmetrics
  metrics_path: /om
  static_configs: [{targets: ["ADDRESS"]}]
- job_name: clashing
  metrics_path: /clash
  static_configs: [{targets: ["ADDRESS"], labels: {zone: a}}]
- job_name: honouring
  metrics_path: /clash
  honor_labels: true
  static_configs: [{targets: ["ADDRESS"], labels: {zone: a}}]
- job_name: stamped
  metrics_path: /stamped
  static_configs: [{targets: ["ADDRESS"]}]
- job_name: restamped
  metrics_path: /stamped
  honor_timestamps: false
  static_configs: [{targets: ["ADDRESS"]}]
- job_name: missing
  metrics_path: /none
  static_configs: [{targets: ["ADDRESS"]}]
- job_name: broken
  metrics_path: /broken
  static_configs: [{targets: ["ADDRESS"]}]
- job_name: failing
  metrics_path: /failing
  static_configs: [{targets: ["ADDRESS"]}]
- job_name: nobody
  static_configs: [{targets: ["127.0.0.1:1"]}]
- job_name: locked
  metrics_path: /locked
  basic_auth: {username: me, password: "s:e"}
  static_configs: [{targets: ["ADDRESS"]}]
- job_name: limited
  sample_limit: 2
  static_configs: [{targets: ["ADDRESS"]}]
- job_name: labelled
  label_limit: 4
  metrics_path: /clash
  static_configs: [{targets: ["ADDRESS"]}]
- job_name: probed
  metrics_path: /probe
  params: {module: [x]}
  static_configs: [{targets: [one.example, two.example, three.example]}]
  relabel_configs:
  - {source_labels: [__address__], target_label: __param_target}
  - {source_labels: [__param_target], target_label: instance}
  - {target_label: __address__, replacement: "ADDRESS"}
  - {source_labels: [instance], regex: 'three\..*', action: drop}
- job_name: discovered
  file_sd_configs: [{files: ["sd-*.json", "sd.yml"], refresh_interval: 1s}]
  relabel_configs:
  - {regex: __meta_(filepath), action: labelmap, replacement: 'from_$1'}
  - {source_labels: [filepath, from_filepath], regex: '.*/([^/]*)', target_label: file, replacement: '${1}'}
  - {regex: from_.*, action: labeldrop}
  - {source_labels: [__address__, path], target_label: shard, modulus: 7, action: hashmod}
  - {source_labels: [path], target_label: __metrics_path__}
  - {source_labels: [kind], target_label: kind, action: uppercase}
- job_name: relabelled
  metrics_path: /families
  static_configs: [{targets: ["ADDRESS"]}]
  metric_relabel_configs:
  - {source_labels: [__name__], regex: 'go_.*', action: drop}
  - {source_labels: [code], regex: '(\d)\d+', target_label: class, replacement: '${1}xx'}
  - {source_labels: [__name__, code], separator: '-', regex: 'r-(200|204)', target_label: __name__, replacement: good}
  - {regex: 'tmp_(.+)', action: labelmap}
  - {regex: 'tmp_.*', action: labeldrop}
  - {source_labels: [a], target_label: b, action: dropequal}
"""
PAGES = {
    "/metrics": '# TYPE up_time counter\nup_time 5\ngauge{a="x\\"y\\n\\\\"} -1.5e3\nnan NaN\ninf +Inf\n',
    "/om": "# TYPE r counter\n# HELP r Requests.\nr_total 3\nr_created 1.5\n# TYPE i info\ni_info{v=\"1\"} 1\n# EOF\n",
    "/clash": 'c{job="own",zone="z"} 1\nc{instance="mine",exported_instance="e"} 2\nd{instance="",job=""} 3\nplain 4\n',
    "/broken": "good 1\nbad {\n",
    "/failing": "before 1\nthen_gone 2\n",
    "/locked": "secret 1\n",
    "/probe?module=x&target=one.example": "probe_success 1\n",
    "/probe?module=x&target=two.example": "probe_success 0\n",
    "/families": (
        'go_x 1\nr{code="200",tmp_x="1"} 1\nr{code="404"} 2\nr{code="204",q="1"} 3\n'
        's{a="1",b="1"} 1\ns{a="1",b="2"} 2\n'
    ),
    "/first": "first 1\n",
    "/second": "second 1\n",
    "/third": "third 1\n",
}  # fmt: skip


@contextmanager
def started(command: list[str], url: str) -> Iterator[Served]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            server = Served(process, url)
            server.wait_ready(30)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextmanager
def both(folder: Path) -> Iterator[tuple[Served, Served]]:
    """Prometheus and Sanso with the folder's configuration."""
    settings = str(folder / "prometheus.yml")
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    peer = [require_program("prometheus"), f"--config.file={settings}", f"--storage.tsdb.path={folder / 'peer'}"]
    peer.append(f"--web.listen-address={addresses[0]}")
    own = [sys.executable, "-m", "sanso", "serve", "--no-host", "--config", settings, "--data", str(folder / "own")]
    own += ["--listen", addresses[1]]
    with (
        started(peer, f"http://{addresses[0]}") as prometheus,
        started(own, f"http://{addresses[1]}") as sanso,
    ):
        yield prometheus, sanso


def keyed(server: Served, expr: str, at: float) -> dict[str, str]:
    """An instant query's values by series."""
    query = urllib.parse.urlencode({"query": expr, "time": f"{at:.3f}"})
    with urllib.request.urlopen(f"{server.url}/api/v1/query?{query}", timeout=10) as answer:
        result = json.load(answer)["data"]["result"]
    return {json.dumps(each["metric"], sort_keys=True): each["value"][1] for each in result}


def agree(servers: tuple[Served, Served], ask: Callable[[Served], Any], true: Callable[[Any], bool] = bool) -> Any:
    """What both answer, as soon as it is the same, and true of it what is said."""
    end = time.monotonic() + 20
    while True:
        peer, own = (ask(server) for server in servers)
        if peer == own and true(own):
            return own
        if time.monotonic() > end:
            if isinstance(peer, dict):
                differing = [
                    f"{key}: {peer.get(key)} {own.get(key)}" for key in peer | own if peer.get(key) != own.get(key)
                ]
                raise AssertionError("Prometheus and Sanso differ:\n" + "\n".join(differing))
            assert own == peer
            raise AssertionError(f"both answer {own}")
        time.sleep(0.3)


def now(expr: str) -> Callable[[Served], dict[str, str]]:
    return lambda server: keyed(server, expr, time.time())


def targets(server: Served) -> Any:
    """What of the targets must be the same."""
    found = server.get("/api/v1/targets")["data"]
    shown = "discoveredLabels labels scrapePool scrapeUrl globalUrl health scrapeInterval scrapeTimeout"
    active = [{name: target[name] for name in shown.split()} for target in found["activeTargets"]]
    dropped = [target["discoveredLabels"] for target in found["droppedTargets"]]
    if any(target["health"] == "unknown" for target in active):
        return None
    return sorted(active, key=json.dumps), sorted(dropped, key=json.dumps)


def discovery(folder: Path, pages: Pages, *paths: str) -> None:
    groups = [{"targets": [pages.address], "labels": {"path": path, "kind": "odd"}} for path in paths]
    whole = folder / "new.json"
    whole.write_text(json.dumps(groups))
    whole.replace(folder / "sd-1.json")


def test_the_same_series_come_of_the_same_configuration(tmp_path: Path) -> None:
    with served() as pages:
        pages.texts.update(PAGES)
        pages.passwords["/locked"] = "me:s:e"
        stamp = int(time.time() * 1000) - 20_000
        pages.texts["/stamped"] = f"old 1 {stamp}\nfresh 2\n"
        discovery(tmp_path, pages, "/first", "/second")
        (tmp_path / "sd.yml").write_text(f"- targets: ['{pages.address}']\n  labels: {{path: /third, n: 010}}\n")
        (tmp_path / "prometheus.yml").write_text(SETTINGS.replace("ADDRESS", pages.address))
        with both(tmp_path) as servers:
            agree(servers, targets)
            # How far Prometheus had counted when a page breaks is its own affair.
            counts = '{job=~"broken|failing",__name__=~"scrape_samples.*"}'
            all_of_them = '{job!="",__name__!~"scrape_duration_seconds|scrape_series_added"}'
            everything = f"{all_of_them} unless on (job, __name__) {counts}"
            before = agree(servers, now(everything))
            assert sum('"__name__": "up"' in key for key in before) == 19
            stamps = agree(servers, now('timestamp({__name__="old",job="stamped"})'))
            assert list(stamps.values()) == [f"{stamp / 1000:.3f}".rstrip("0").rstrip(".")]
            agree(servers, now('max_over_time(scrape_series_added{job!~"|broken|limited"}[1h])'))

            # Series vanish and come, a target fails, another is gone, one gives other series.
            pages.texts["/metrics"] = "gauge 1\nnew 2\n"
            pages.texts["/failing"] = "broken {\n"
            pages.texts["/stamped"] = "fresh 3\n"
            discovery(tmp_path, pages, "/second")

            def changed(found: dict[str, str]) -> bool:
                gone = ('"then_gone"', '"first"', '"up_time"')
                return '"new"' in str(found) and not any(name in key for key in found for name in gone)

            after = agree(servers, now(everything), changed)
            # A sample with a time of its own does not end with its line; one without does.
            assert any('"old"' in key and '"stamped"' in key for key in after)
            assert not any('"old"' in key and '"restamped"' in key for key in after)
            agree(servers, targets)
            pages.texts["/failing"] = PAGES["/failing"]
            agree(servers, now('{job="failing",__name__!~"scrape_duration_seconds"}'), lambda found: len(found) == 6)
            agree(servers, now('count by (__name__, job) ({job!="",__name__!~"old"})'))
