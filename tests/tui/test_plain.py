from __future__ import annotations

import pytest

from sanso.tui.plain import render_plain
from sanso.vitals.catalog import load
from tests.tui.capture import hold
from tests.tui.fakes import overview, quiet, without_gpu


@pytest.fixture(autouse=True)
def _one_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_plain_lines_look_as_they_were_last_approved(lang: str) -> None:
    hold(f"plain-{lang}", render_plain(overview(), lang) + "\n")


def test_every_vital_has_its_line_and_nothing_has_colours() -> None:
    text = render_plain(overview())
    assert all(vital.title["en"] in text for vital in load())
    assert "\x1b" not in text


def test_what_is_absent_is_a_dash_not_a_zero() -> None:
    line = next(line for line in render_plain(without_gpu()).splitlines() if "GPU memory" in line)
    assert line.split()[-1] == "–"


def test_no_workers_no_heading() -> None:
    assert "organisation" not in render_plain(quiet())
