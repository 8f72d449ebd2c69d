from __future__ import annotations

import io
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from sanso.model.errors import NotifyError
from sanso.notify.apprise import AppriseNotifier
from sanso.notify.build import handler_from, kinds
from sanso.notify.callable import CallableNotifier
from sanso.notify.command import CommandNotifier
from sanso.notify.console import ConsoleNotifier
from sanso.notify.logfile import LogNotifier
from sanso.notify.webhook import WebhookNotifier
from tests.notify.notifications import EXPRESSION, notification
from tests.notify.receivers import receiving


def webhook(url: str, pauses: list[float] | None = None) -> WebhookNotifier:
    return WebhookNotifier(url, timeout_s=5.0, sleep=(pauses if pauses is not None else []).append)


def test_every_kind_is_found_and_built_from_its_settings(tmp_path: Path) -> None:
    settings: list[dict[str, Any]] = [
        {"type": "console"},
        {"type": "log", "path": str(tmp_path / "log")},
        {"type": "webhook", "url": "http://127.0.0.1:9/"},
        {"type": "command", "command": ["true"]},
        {"type": "apprise", "url": "json://127.0.0.1:9"},
    ]
    assert {each["type"] for each in settings} == set(kinds())
    assert len({handler_from(each).name for each in settings}) == 5


def test_console_writes_one_line_and_colours_only_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    plain, terminal = io.StringIO(), Terminal()
    ConsoleNotifier(plain).send(notification())
    ConsoleNotifier(terminal).send(notification("resolved"))
    assert plain.getvalue().endswith("[warning] firing: CPU使用率: cpu_percent = 91.5 (limit 80)\n")
    assert "\x1b" not in plain.getvalue()
    assert terminal.getvalue().startswith("\x1b[32m")


def test_a_log_is_one_object_a_line_and_may_be_rotated(tmp_path: Path) -> None:
    log = LogNotifier(tmp_path / "log")
    log.send(notification())
    (tmp_path / "log").rename(tmp_path / "log.1")
    log.send(EXPRESSION)
    (first,) = (tmp_path / "log.1").read_text("utf-8").splitlines()
    (second,) = (tmp_path / "log").read_text("utf-8").splitlines()
    assert json.loads(first) == {
        "name": "CpuHigh", "level": "warning", "state": "firing", "message": "CPU使用率", "metric_name": "cpu_percent",
        "current_value": 91.5, "threshold": 80.0, "timestamp": 1_790_000_000.0, "labels": {"host": "web-1"},
    }  # fmt: skip
    assert json.loads(second)["threshold"] is None
    with pytest.raises(NotifyError, match="No such file"):
        LogNotifier(tmp_path / "none" / "log").send(notification())


def test_a_webhook_posts_what_alertmanager_s_receivers_know() -> None:
    with receiving() as receiver:
        webhook(receiver.url).send(notification("resolved"))
    (body,) = receiver.bodies
    assert (body["status"], body["current_value"]) == ("resolved", 91.5)
    (alert,) = body["alerts"]
    assert alert["labels"] == {"alertname": "CpuHigh", "severity": "warning", "host": "web-1"}
    assert alert["startsAt"] == "2026-09-21T14:13:20+00:00"


def test_a_webhook_tries_again_where_it_may_help() -> None:
    pauses: list[float] = []
    with receiving(500, 429, 200) as receiver:
        webhook(receiver.url, pauses).send(notification())
    assert len(receiver.bodies) == 3
    assert pauses == [0.5, 2.0]


def test_a_webhook_gives_up_after_three_tries_and_at_once_where_it_is_refused() -> None:
    with receiving(503) as receiver, pytest.raises(NotifyError, match="answered 503"):
        webhook(receiver.url).send(notification())
    assert len(receiver.bodies) == 3
    with receiving(400) as receiver, pytest.raises(NotifyError, match="answered 400"):
        webhook(receiver.url).send(notification())
    assert len(receiver.bodies) == 1
    with pytest.raises(NotifyError, match="refused"):
        webhook("http://127.0.0.1:9/").send(notification())


def test_a_command_gets_the_alert_on_its_input_and_in_its_environment(tmp_path: Path) -> None:
    out = tmp_path / "out"
    program = "import os,sys;open(sys.argv[1],'w').write(os.environ['SANSO_ALERT_NAME']+sys.argv[2]+sys.stdin.read())"
    CommandNotifier([sys.executable, "-c", program, str(out), "; touch hacked"]).send(notification())
    text = out.read_text("utf-8")
    assert text.startswith("CpuHigh; touch hacked{")
    assert json.loads(text.partition("hacked")[2])["message"] == "CPU使用率"
    assert not (tmp_path / "hacked").exists()


def test_a_command_that_fails_hangs_or_is_not_there(tmp_path: Path) -> None:
    failing = [sys.executable, "-c", "import sys;sys.exit('no network')"]
    with pytest.raises(NotifyError, match="ended with 1: no network"):
        CommandNotifier(failing).send(notification())
    with pytest.raises(NotifyError, match="timed out"):
        CommandNotifier([sys.executable, "-c", "import time;time.sleep(60)"], timeout_s=0.3).send(notification())
    with pytest.raises(NotifyError, match="No such file"):
        CommandNotifier([str(tmp_path / "none")]).send(notification())
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    os.chmod(script, stat.S_IRUSR)
    with pytest.raises(NotifyError, match="denied"):
        CommandNotifier([str(script)]).send(notification())


def test_any_callable() -> None:
    heard: list[object] = []
    notifier = CallableNotifier(heard.append)
    notifier.send(notification())
    assert heard == [notification()]
    assert notifier.name == "append"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # what Apprise's own modules import
def test_apprise_delivers_to_its_services() -> None:
    pytest.importorskip("apprise")
    with receiving() as receiver:
        AppriseNotifier(receiver.url.replace("http", "json")).send(notification())
        AppriseNotifier(receiver.url.replace("http", "json")).send(notification("resolved"))
    assert [(body["title"], body["type"]) for body in receiver.bodies] == [
        ("CpuHigh", "warning"),
        ("CpuHigh", "success"),
    ]
    assert "cpu_percent = 91.5" in receiver.bodies[0]["message"]
    with pytest.raises(NotifyError, match="does not know"):
        AppriseNotifier("nonsense").send(notification())
    with receiving(500) as receiver, pytest.raises(NotifyError, match="not delivered"):
        AppriseNotifier(receiver.url.replace("http", "json")).send(notification())
