"""The help: every key and what it does."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from sanso.tui.cells import left
from sanso.tui.texts import help_lines


class HelpScreen(ModalScreen[None]):
    """Closes with any of its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "dismiss", show=False)]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen Static { width: 64; height: auto; padding: 1 2; border: round $primary; background: $surface; }
    """

    def __init__(self, lang: str) -> None:
        super().__init__()
        self._lang = lang

    def compose(self) -> ComposeResult:
        """One line a key."""
        lines = [f"{left(key, 18)}{meaning}" for key, meaning in help_lines(self._lang)]
        yield Static(Text("\n".join(lines)))
