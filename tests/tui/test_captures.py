from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.tui.capture import answered, app_on, hold, settled, text_of
from tests.tui.fakes import FakeClient, overview, quiet, without_gpu

SIZES = [(80, 24), (200, 60)]
MOMENTS = {"full": overview, "without-gpu": without_gpu, "quiet": quiet}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_the_dashboard_looks_as_it_was_last_approved(size: tuple[int, int], lang: str, moment: str) -> None:
    client = FakeClient(MOMENTS[moment]())
    app = app_on(client, lang=lang)
    async with app.run_test(size=size) as pilot:
        await answered(pilot, client)
        text = text_of(app)
    assert all(cell_len(line) <= size[0] for line in text.splitlines())
    assert text.count("\n") == size[1]
    hold(f"{moment}-{lang}-{size[0]}x{size[1]}", text)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("name", "mode", "with_perf"), [("perf", "perf", True), ("organisation", "dashboard", False)])
async def test_the_modes_show_what_they_say(size: tuple[int, int], name: str, mode: str, with_perf: bool) -> None:
    client = FakeClient()
    app = app_on(client, mode=mode, with_perf=with_perf)
    async with app.run_test(size=size) as pilot:
        await answered(pilot, client)
        text = text_of(app)
    assert ("PRESIDENT" in text) is (name == "organisation")
    assert ("Memory" in text.split("Alerts")[0]) is (name == "perf")
    hold(f"{name}-{size[0]}x{size[1]}", text)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_details_of_a_sign_and_help(size: tuple[int, int]) -> None:
    client = FakeClient()
    app = app_on(client)
    async with app.run_test(size=size) as pilot:
        await answered(pilot, client)
        await pilot.press("right", "enter")
        await settled(pilot)
        hold(f"detail-{size[0]}x{size[1]}", text_of(app))
        await pilot.press("escape", "question_mark")
        await settled(pilot)
        hold(f"help-{size[0]}x{size[1]}", text_of(app))


async def test_a_server_that_cannot_be_asked_is_named_and_the_last_figures_stay() -> None:
    client = FakeClient(where="http://127.0.0.1:3333")
    app = app_on(client)
    async with app.run_test(size=(80, 24)) as pilot:
        await answered(pilot, client)
        client.broken = "connection refused"
        await pilot.press("r")
        await settled(pilot)
        text = text_of(app)
        assert "connection refused" in text
        assert "46.2%" in text
        hold("failing-80x24", text)
        client.broken = ""
        await pilot.press("r")
        await answered(pilot, client, 2)
        assert "connection refused" not in text_of(app)
