"""Texts of a known number of lines."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


def put(place: Static, text: Content) -> None:
    """Show the text and give it its height.

    Textual finds an automatic height anew only where no layout is under way already; said outright it is always right.
    """
    place.styles.height = text.plain.count("\n") + 1
    place.update(text)
