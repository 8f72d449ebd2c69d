"""Colours: few, and readable in dark and in light terminals."""

from __future__ import annotations

from textual.theme import Theme

from sanso.model.status import AlertLevel, Status

DARK = Theme(
    name="sanso-dark",
    primary="#58a6ff",
    secondary="#8b949e",
    success="#3fb950",
    warning="#d9a520",
    error="#ff6b62",
    accent="#58a6ff",
    foreground="#d7dde4",
    background="#0d1117",
    surface="#0d1117",
    panel="#161b22",
    dark=True,
    variables={"rule": "#3b434d", "quiet": "#8b949e", "cursor": "#1f2a38"},
)
LIGHT = Theme(
    name="sanso-light",
    primary="#0958b8",
    secondary="#59636e",
    success="#17702f",
    warning="#8a5a00",
    error="#c01622",
    accent="#0958b8",
    foreground="#1f2328",
    background="#ffffff",
    surface="#ffffff",
    panel="#f6f8fa",
    dark=False,
    variables={"rule": "#c3cad1", "quiet": "#59636e", "cursor": "#ddeaf9"},
)
TERMINAL = Theme(
    name="sanso-terminal",
    ansi=True,
    primary="ansi_cyan",
    secondary="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    accent="ansi_cyan",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "rule": "ansi_bright_black",
        "quiet": "ansi_bright_black",
        "cursor": "ansi_default",
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "screen-selection-background": "ansi_blue",
        "screen-selection-foreground": "ansi_white",
    },
)
THEMES = (TERMINAL, DARK, LIGHT)

STATUS_STYLE = {
    Status.NORMAL: "$success",
    Status.WARNING: "bold $warning",
    Status.CRITICAL: "bold $error",
    Status.UNKNOWN: "$foreground",
}
LEVEL_STYLE = {AlertLevel.INFO: "$primary", AlertLevel.WARNING: "bold $warning", AlertLevel.CRITICAL: "bold $error"}


def theme_for(colorfgbg: str) -> str:
    """The theme that suits a terminal, by its COLORFGBG ("15;0"): where it does not say, its own colours are kept."""
    background = colorfgbg.rpartition(";")[2]
    if not background.isdigit():
        return TERMINAL.name
    return LIGHT.name if background in ("7", "15") else DARK.name


def next_theme(name: str) -> str:
    """The theme after this one."""
    names = [theme.name for theme in THEMES]
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]
