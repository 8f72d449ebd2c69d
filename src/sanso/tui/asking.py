"""What a screen asks the client, off the screen's own loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from sanso.client.base import Client
from sanso.model.errors import SansoError
from sanso.model.readings import Overview
from sanso.tui.trails import POINTS


@dataclass
class OverviewCame(Message):
    """The client answered."""

    overview: Overview


@dataclass
class HistoriesCame(Message):
    """What was stored before this screen was opened."""

    histories: dict[str, list[float]]


@dataclass
class AskingFailed(Message):
    """The client could not be asked, for the reason given."""

    reason: str


def ask_overview(client: Client) -> Message:
    """The overview, or why not. Blocks."""
    try:
        return OverviewCame(client.overview())
    except SansoError as error:
        return AskingFailed(str(error))


def ask_histories(client: Client, names: Sequence[str], interval: float) -> Message:
    """As many stored values as a trail holds, one an interval. Blocks."""
    try:
        return HistoriesCame(client.histories(names, interval * POINTS, POINTS))
    except SansoError as error:
        return AskingFailed(str(error))
