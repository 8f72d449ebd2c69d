"""The help: every key and what it does."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sanso.model.status import Status
from sanso.tui.cells import left
from sanso.tui.texts import DOTS, help_lines, say

_KEY_CELLS = 16


class HelpScreen(ModalScreen[None]):
    """Closes with any of its keys or a click.

    Args:
        lang: en or ja.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,enter,space", "back", show=False)]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen Static { width: 66; max-width: 100%; height: auto; padding: 1 2; border: round $primary;
                        border-title-color: $primary; background: $surface; color: $foreground; }
    """

    def __init__(self, lang: str) -> None:
        super().__init__()
        self._lang = lang

    def compose(self) -> ComposeResult:
        """One line a key, then what the dots mean."""
        keys = [
            Content.assemble((left(key, _KEY_CELLS), "bold $primary"), meaning)
            for key, meaning in help_lines(self._lang)
        ]
        dots = [
            f"{DOTS[status]} {say(f'{words}.{status.value}', self._lang)}  "
            for words in ("status", "workers")
            for status in (Status.NORMAL, Status.WARNING, Status.CRITICAL)
        ]
        box = Static(Content("\n").join([*keys, Content(""), Content("".join(dots[:3])), Content("".join(dots[3:]))]))
        box.border_title = f"Sanso 三層 · {say('key.help', self._lang)}"
        yield box

    def action_back(self) -> None:
        """Close."""
        self.dismiss()

    def on_click(self) -> None:
        """Close."""
        self.dismiss()
