"""Screens as text: what a terminal of a given size shows, compared with what is kept in `captures/`."""

from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path

import pytest
from textual.pilot import Pilot

from sanso.model.clock import FixedClock
from sanso.tui.app import SansoApp
from tests.tui.fakes import AT_MS, FakeClient

FOLDER = Path(__file__).parent / "captures"


def app_on(client: FakeClient, *, lang: str = "en", mode: str = "dashboard", with_perf: bool = True) -> SansoApp:
    """The dashboard at a fixed time; it asks again only when told to."""
    app = SansoApp(
        client, mode="perf" if mode == "perf" else "dashboard", with_perf=with_perf, interval=3600.0, lang=lang
    )
    app.view.clock, app.view.zone = FixedClock(AT_MS), UTC
    return app


def text_of(app: SansoApp) -> str:
    """What the terminal shows, without colours."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


async def answered(pilot: Pilot[None], client: FakeClient, count: int = 1) -> None:
    """Wait until the client was asked so often and the screen shows it."""
    for _ in range(400):
        if client.asked >= count and client.seeds:
            break
        await pilot.pause(0.01)
    else:
        raise AssertionError(f"asked {client.asked} times, histories {len(client.seeds)}")
    await settled(pilot)


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the screen has stood still for a while."""
    before, still = "", 0
    while still < 4:
        await pilot.pause(0.04)
        now = "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())
        still = still + 1 if now == before else 0
        before = now


def hold(name: str, text: str) -> None:
    """Compare with the kept capture; `make captures` writes it anew, for a person to look at."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("SANSO_UPDATE_CAPTURES") == "1":
        path.write_text(text, "utf-8")
    if not path.exists():
        pytest.fail(f"{path.name} is missing: make captures")
    assert text == path.read_text("utf-8"), f"the screen has changed: make captures, and look at {path.name}"
