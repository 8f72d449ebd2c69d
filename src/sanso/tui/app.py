"""The live dashboard: asks the client once an interval, and draws what it answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Literal

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from sanso.client.base import Client
from sanso.model.errors import SansoError
from sanso.model.readings import Layer, Overview
from sanso.model.units import format_duration
from sanso.tui.help_screen import HelpScreen
from sanso.tui.panels import alerts_text, layer_text, workers_text
from sanso.tui.texts import say
from sanso.tui.trails import POINTS, Trails
from sanso.vitals.catalog import load

_LAYERS: tuple[Layer, ...] = ("application", "system", "ai")
_INTERVALS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Panel(Static):
    """A part of the screen that draws itself for its size."""

    def __init__(self, draw: Callable[[int, int], Text], panel_id: str) -> None:
        super().__init__("", id=panel_id)
        self._draw = draw

    def redraw(self) -> None:
        """Draw for the size as it is."""
        self.update(self._draw(self.content_size.width, self.content_size.height))

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.redraw()


class SansoApp(App[None]):
    """The dashboard.

    Args:
        client: Who is asked; from a thread, never from the screen's loop.
        mode: dashboard shows the organisation too, perf the three layers only.
        with_perf: Whether the three layers are shown in dashboard mode.
        interval: Seconds between two questions.
        lang: en or ja.
    """

    CSS = """
    Screen { layout: vertical; }
    #head { height: 1; padding: 0 1; }
    #layers { height: 1fr; min-height: 10; }
    #layers Panel { width: 1fr; height: 1fr; padding: 0 1; border-left: solid $surface-lighten-2; }
    #layers Panel:first-child { border-left: none; }
    #workers { height: auto; max-height: 45%; padding: 0 1; border-top: solid $surface-lighten-2; overflow-y: auto; }
    #alerts { height: auto; max-height: 6; padding: 0 1; border-top: solid $surface-lighten-2; }
    #keys { height: 1; padding: 0 1; color: $text-muted; }
    .hidden { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", show=False),
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("question_mark", "help", show=False),
        Binding("m", "mode", show=False),
        Binding("l", "language", show=False),
        Binding("p,space", "pause", show=False),
        Binding("plus", "faster", show=False),
        Binding("minus", "slower", show=False),
        Binding("r", "ask", show=False),
        Binding("t", "theme", show=False),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        client: Client,
        *,
        mode: Literal["dashboard", "perf"] = "dashboard",
        with_perf: bool = True,
        interval: float = 2.0,
        lang: str = "en",
    ) -> None:
        super().__init__(ansi_color=True)
        self._client = client
        self._show_workers = mode == "dashboard"
        self._show_layers = mode == "perf" or with_perf
        self._interval = interval
        self._lang = lang
        self._paused = False
        self._vitals = {vital.name: vital for vital in load()}
        self._trails = Trails()
        self._overview: Overview | None = None
        self._problem = ""

    def compose(self) -> ComposeResult:
        """Head, layers, organisation, alerts, keys."""
        yield Panel(self._head, "head")
        with Horizontal(id="layers"):
            for layer in _LAYERS:
                yield Panel(lambda width, height, of=layer: self._layer(of, width, height), f"layer-{layer}")  # type: ignore[misc]
        yield Panel(lambda width, _: self._drawn(lambda found: workers_text(found, width, self._lang)), "workers")
        yield Panel(lambda _, __: self._alerts(), "alerts")
        yield Panel(lambda _, __: self._keys(), "keys")

    def on_mount(self) -> None:
        """Ask at once, and then every interval."""
        self._arrange()
        self.run_worker(self._seed, thread=True, exclusive=False)
        self._timer = self.set_interval(self._interval, self.action_ask)

    def action_ask(self) -> None:
        """Ask now."""
        if not self._paused:
            self.run_worker(self._ask, thread=True, group="ask", exclusive=True)

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(HelpScreen(self._lang))

    def action_mode(self) -> None:
        """All, performance only, organisation only."""
        shown = {(True, True): (True, False), (True, False): (False, True), (False, True): (True, True)}
        self._show_layers, self._show_workers = shown[self._show_layers, self._show_workers]
        self._arrange()

    def action_language(self) -> None:
        """English or Japanese."""
        self._lang = "en" if self._lang == "ja" else "ja"
        self._redraw()

    def action_pause(self) -> None:
        """Stop asking, and go on."""
        self._paused = not self._paused
        self._redraw()

    def action_faster(self) -> None:
        """A shorter interval."""
        self._change_interval([step for step in _INTERVALS if step < self._interval][-1:])

    def action_slower(self) -> None:
        """A longer interval."""
        self._change_interval([step for step in _INTERVALS if step > self._interval][:1])

    def action_theme(self) -> None:
        """The terminal's own colours, dark, light."""
        themes = ("textual-ansi", "textual-dark", "textual-light")
        place = themes.index(self.theme) if self.theme in themes else 0
        self.theme = themes[(place + 1) % len(themes)]

    def _seed(self) -> None:
        """The first overview, then what was stored before this screen."""
        self._ask()
        names = [name for name, vital in self._vitals.items() if not vital.label]
        try:
            histories = self._client.histories(names, self._interval * POINTS, POINTS)
        except SansoError as error:
            self.call_from_thread(self._failed, str(error))
            return
        self.call_from_thread(self._seeded, histories)

    def _ask(self) -> None:
        try:
            overview = self._client.overview()
        except SansoError as error:
            self.call_from_thread(self._failed, str(error))
            return
        self.call_from_thread(self._take, overview)

    def _seeded(self, histories: dict[str, list[float]]) -> None:
        self._trails.seed(histories)
        self._redraw()

    def _take(self, overview: Overview) -> None:
        self._overview, self._problem = overview, ""
        self._trails.extend(overview)
        self._redraw()

    def _failed(self, problem: str) -> None:
        self._problem = problem
        self._redraw()

    def _change_interval(self, steps: list[float]) -> None:
        if steps:
            self._interval = steps[0]
            self._timer.stop()
            self._timer = self.set_interval(self._interval, self.action_ask)
            self._redraw()

    def _arrange(self) -> None:
        self.query_one("#layers").set_class(not self._show_layers, "hidden")
        self.query_one("#workers").set_class(not self._show_workers, "hidden")
        self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        for panel in self.screen_stack[0].query(Panel):
            panel.redraw()

    def _drawn(self, draw: Callable[[Overview], Text]) -> Text:
        if self._overview is None:
            return Text(say("waiting_first", self._lang), "dim")
        return draw(self._overview)

    def _layer(self, layer: Layer, width: int, height: int) -> Text:
        return self._drawn(
            lambda found: layer_text(layer, self._vitals, found, self._trails, (width, height), self._lang)
        )

    def _alerts(self) -> Text:
        notices = []
        if self._problem:
            notices.append(say("no_answer", self._lang).format(where=self._client.where, error=self._problem))
        return self._drawn(lambda found: alerts_text(found, notices, self._lang))

    def _head(self, width: int, _: int) -> Text:
        text = Text("Sanso 三層", "bold", no_wrap=True)
        if self._overview is not None:
            moment = datetime.fromtimestamp(self._overview.time_ms / 1000).astimezone().strftime("%H:%M:%S")
            text.append(f"  {self._overview.host}  {moment}", "")
        where = say("here", self._lang) if self._client.where == "this process" else self._client.where
        text.append(f"  {where}  {format_duration(self._interval)}", "dim")
        if self._paused:
            text.append(f"  {say('paused', self._lang)}", "bold yellow")
        text.truncate(max(width, 1))
        return text

    def _keys(self) -> Text:
        keys = (("q", "quit"), ("?", "help"), ("m", "mode"), ("l", "language"), ("p", "pause"), ("+-", "interval"))
        text = Text(no_wrap=True)
        for key, name in (*keys, ("t", "theme")):
            text.append(f"{key} ", "bold")
            text.append(f"{say(f'key.{name}', self._lang)}   ", "dim")
        return text
