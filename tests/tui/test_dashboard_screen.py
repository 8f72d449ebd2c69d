from __future__ import annotations

import threading
import time

import pytest

from sanso.model.clock import FixedClock
from sanso.tui.detail_screen import DetailScreen
from sanso.tui.help_screen import HelpScreen
from sanso.tui.themes import DARK, LIGHT, TERMINAL
from sanso.vitals.catalog import load
from tests.tui.capture import answered, app_on, text_of
from tests.tui.fakes import AT_MS, FakeClient, overview


async def test_the_client_is_asked_off_the_screen_s_thread() -> None:
    client = FakeClient()
    async with app_on(client).run_test() as pilot:
        await answered(pilot, client)
    assert threading.main_thread().name not in client.threads


async def test_a_client_that_hangs_does_not_hold_the_keys() -> None:
    client = FakeClient()
    client.free.clear()
    app = app_on(client)
    began = time.monotonic()
    async with app.run_test() as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape", "q")
        assert client.asked == 0
    assert time.monotonic() - began < 10
    client.free.set()


async def test_only_one_question_is_under_way() -> None:
    client = FakeClient()
    client.free.clear()
    async with app_on(client).run_test() as pilot:
        for _ in range(5):
            await pilot.press("r")
        client.free.set()
        await answered(pilot, client)
        assert client.asked == 1


async def test_keys_change_language_theme_mode_pause_and_pace() -> None:
    client = FakeClient()
    app = app_on(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await answered(pilot, client)
        await pilot.press("l")
        assert "アプリケーション" in text_of(app)
        await pilot.press("l")
        themes = []
        for _ in range(3):
            await pilot.press("t")
            themes.append(app.theme)
        assert set(themes) == {TERMINAL.name, DARK.name, LIGHT.name}
        await pilot.press("p")
        assert "paused" in text_of(app).lower()
        await pilot.press("p")
        assert "paused" not in text_of(app).lower()
        await pilot.press("minus")
        assert app.view.interval == 3600.0  # there is nothing slower
        await pilot.press("plus")
        assert app.view.interval == 60.0


async def test_the_mouse_opens_details_and_keys_close_them() -> None:
    client = FakeClient()
    app = app_on(client)
    async with app.run_test(size=(200, 60)) as pilot:
        await answered(pilot, client)
        row = next(i for i, line in enumerate(text_of(app).splitlines()) if "Memory " in line)
        await pilot.click(offset=(80, row))
        await pilot.pause(0.1)
        if not isinstance(app.screen, DetailScreen):
            await pilot.click(offset=(80, row))
            await pilot.pause(0.1)
        assert isinstance(app.screen, DetailScreen)
        await pilot.press("escape")
        assert not isinstance(app.screen, DetailScreen)


async def test_new_figures_replace_old_ones() -> None:
    client = FakeClient()
    app = app_on(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await answered(pilot, client)
        assert "46.2%" in text_of(app)
        client.answer = overview(cpu_percent=91.7)
        await pilot.press("r")
        await answered(pilot, client, 2)
        shown = text_of(app)
    assert "91.7%" in shown
    assert "Critical" in shown


@pytest.mark.parametrize("size", [(40, 12), (20, 5), (300, 100)])
async def test_no_size_breaks_it(size: tuple[int, int]) -> None:
    client = FakeClient()
    app = app_on(client)
    async with app.run_test(size=size) as pilot:
        await answered(pilot, client)
        await pilot.resize_terminal(80, 24)
        await pilot.pause(0.05)
        assert "CPU" in text_of(app)


async def test_details_of_a_percentile_tell_between_what_it_lies() -> None:
    client = FakeClient()
    app = app_on(client)
    async with app.run_test(size=(120, 40)) as pilot:
        await answered(pilot, client)
        vital = next(vital for vital in load() if vital.name == "latency_p95_seconds")
        await app.push_screen(DetailScreen(client, vital, "en", FixedClock(AT_MS)))
        for _ in range(100):
            await pilot.pause(0.02)
            if "Now between" in text_of(app):
                break
        assert "Now between 100 ms – 250 ms" in text_of(app)
