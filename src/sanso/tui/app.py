"""The live dashboard as an application: it holds the themes and routes between the screens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import ClassVar, Literal

from textual.app import App
from textual.binding import Binding, BindingType

from sanso.client.base import Client
from sanso.tui.dashboard_screen import DashboardScreen, View
from sanso.tui.help_screen import HelpScreen
from sanso.tui.themes import THEMES, next_theme, theme_for


class SansoApp(App[None]):
    """The dashboard.

    Args:
        client: Who is asked; from threads, never from the screen's loop.
        mode: "dashboard" shows organisation and performance, "perf" performance only.
        with_perf: Whether performance is shown in mode "dashboard".
        interval: Seconds between two questions.
        lang: en or ja.

    Attributes:
        view: What is shown and how; a test fixes its clock and zone before `run`.
    """

    TITLE = "Sanso"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", show=False),
        Binding("ctrl+c,ctrl+q", "quit", show=False, priority=True),
        Binding("question_mark,f1", "help", show=False),
        Binding("t", "theme", show=False),
    ]

    def __init__(
        self,
        client: Client,
        *,
        mode: Literal["dashboard", "perf"] = "dashboard",
        with_perf: bool = True,
        interval: float = 2.0,
        lang: str = "en",
    ) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_for(os.environ.get("COLORFGBG", ""))
        self.view = View(layers=mode == "perf" or with_perf, workers=mode == "dashboard", interval=interval, lang=lang)
        self._client = client

    def get_default_screen(self) -> DashboardScreen:
        """The first screen."""
        return DashboardScreen(self._client, self.view)

    def on_mount(self) -> None:
        """SIGTERM leaves as `q` does: with the terminal as it was found."""
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # Windows; not the main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit, None, 128 + signal.SIGTERM)

    def action_help(self) -> None:
        """Show the keys."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.view.lang))

    def action_theme(self) -> None:
        """The terminal's own colours, dark, light."""
        self.theme = next_theme(self.theme)
