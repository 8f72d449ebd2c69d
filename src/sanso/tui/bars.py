"""The lines at the edge of the screen: what is watched, what is wrong with the view, which keys there are."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from sanso.model.status import Status
from sanso.tui.cells import left
from sanso.tui.texts import DOTS, say, status_word
from sanso.tui.themes import STATUS_STYLE

KEYS = (
    ("q", "quit", "app.quit"),
    ("?", "help", "app.help"),
    ("m", "mode", "screen.mode"),
    ("l", "language", "screen.language"),
    ("p", "pause", "screen.pause"),
    ("-", "", "screen.slower"),
    ("+", "interval", "screen.faster"),
    ("t", "theme", "app.theme"),
    ("↵", "detail", "screen.open"),
)


class TitleBar(Static):
    """What is watched and how it is."""

    DEFAULT_CSS = "TitleBar { height: 1; }"

    def show(self, watched: str, times: Sequence[str], status: Status, lang: str) -> None:
        """Draw: at the left what is watched, at the right when and how."""
        width = self.app.size.width
        word = f"{DOTS[status]} {status_word(status, lang)}" if status is not Status.UNKNOWN else ""
        moment = "  ".join(part for part in times if part)
        room = max(0, width - 13 - cell_len(moment) - (cell_len(word) + 2 if word else 0))
        self.update(
            Content.assemble(
                ("Sanso 三層  ", "bold $primary"),
                (left(watched, room), "$foreground"),
                (f" {moment}", "$quiet"),
                (f"  {word}" if word else "", STATUS_STYLE[status]),
            )
        )


class NoticeBar(Static):
    """What the user should know; takes no line where there is nothing."""

    DEFAULT_CSS = "NoticeBar { height: auto; max-height: 2; color: $warning; display: none; }"

    def show(self, notices: Sequence[str]) -> None:
        """Draw these sentences."""
        self.display = bool(notices)
        self.update(Content("\n".join(f"⚠ {notice}" for notice in notices)))


class KeyBar(Static):
    """The keys, which can be clicked."""

    DEFAULT_CSS = "KeyBar { height: 1; background: $panel; }"

    def show(self, lang: str, keys: Sequence[tuple[str, str, str]] = KEYS) -> None:
        """Draw the keys in this language."""
        parts: list[Content] = []
        for key, name, action in keys:
            label = f" {say(f'key.{name}', lang)}  " if name else " "
            text = Content.assemble((key, "bold $primary"), (label, "$quiet"))
            parts.append(text.stylize(Style.from_meta({"@click": action})))
        self.update(Content("").join(parts))
