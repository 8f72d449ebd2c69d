from __future__ import annotations

import threading
import time

import pytest

from sanso.model.errors import NotifyError
from sanso.notify.base import Notification
from sanso.notify.dispatcher import Dispatcher
from tests.notify.notifications import notification


class Recorder:
    """Keeps what it is sent; waits while `free` is not set, fails while `failing`."""

    def __init__(self, name: str = "recorder") -> None:
        self.name = name
        self.got: list[Notification] = []
        self.free = threading.Event()
        self.free.set()
        self.failing = False

    def send(self, sent: Notification) -> None:
        self.free.wait(20)
        if self.failing:
            raise NotifyError("no network")
        self.got.append(sent)


class Broken(Recorder):
    def send(self, sent: Notification) -> None:
        raise ZeroDivisionError


def test_everybody_is_told_in_order() -> None:
    first, second = Recorder(), Recorder()
    dispatcher = Dispatcher([first, second])
    sent = [notification(), notification("resolved")]
    for each in sent:
        dispatcher.send(each)
    dispatcher.close()
    assert first.got == second.got == sent


def test_one_that_breaks_silences_no_other_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    good = Recorder()
    dispatcher = Dispatcher([Broken("broken"), good])
    for _ in range(3):
        dispatcher.send(notification())
    dispatcher.close()
    assert len(good.got) == 3
    assert caplog.text.count("broken failed") == 1


def test_coming_back_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()
    recorder.failing = True
    dispatcher = Dispatcher([recorder])
    dispatcher.send(notification())
    while not caplog.records:
        time.sleep(0.005)
    recorder.failing = False
    dispatcher.send(notification())
    dispatcher.close()
    assert [record.getMessage() for record in caplog.records] == ["recorder failed: no network", "recorder works again"]


def test_sending_never_waits_and_what_is_too_much_is_counted() -> None:
    slow = Recorder()
    slow.free.clear()
    dispatcher = Dispatcher([slow])
    started = time.monotonic()
    for _ in range(1500):
        dispatcher.send(notification())
    assert time.monotonic() - started < 2
    assert 495 <= dispatcher.dropped <= 500
    slow.free.set()
    dispatcher.close()
    assert len(slow.got) == 1500 - dispatcher.dropped


def test_without_anybody_to_tell_there_is_no_thread() -> None:
    before = threading.active_count()
    dispatcher = Dispatcher([])
    dispatcher.send(notification())
    assert threading.active_count() == before
    dispatcher.close()
