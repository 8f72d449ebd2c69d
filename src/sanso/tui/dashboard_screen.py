"""The first screen: three layers side by side, the organisation, the alerts."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from sanso.client.base import Client
from sanso.model.clock import Clock, SystemClock
from sanso.model.readings import Layer, Overview
from sanso.model.status import Status
from sanso.model.units import format_duration
from sanso.tui.alerts_panel import AlertsPanel
from sanso.tui.asking import AskingFailed, HistoriesCame, OverviewCame, ask_histories, ask_overview
from sanso.tui.bars import KeyBar, NoticeBar, TitleBar
from sanso.tui.detail_screen import DetailScreen
from sanso.tui.layer_panel import LayerPanel, LayerView
from sanso.tui.rows import overall, rows_of
from sanso.tui.texts import age_text, layer_title, say
from sanso.tui.trails import Trails
from sanso.tui.workers_panel import WorkersPanel
from sanso.vitals.catalog import load

LAYERS: tuple[Layer, ...] = ("application", "system", "ai")
_INTERVALS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


@dataclass
class View:
    """What the user may change, and what a test fixes.

    Attributes:
        layers: Whether the three layers are shown.
        workers: Whether the organisation is shown.
        interval: Seconds between two questions.
        lang: en or ja.
        paused: Whether nothing is asked.
        clock: What the time is.
        zone: In which zone times are shown; the machine's own where None.
    """

    layers: bool = True
    workers: bool = True
    interval: float = 2.0
    lang: str = "en"
    paused: bool = False
    clock: Clock = SystemClock()  # noqa: RUF009 - it holds nothing
    zone: tzinfo | None = None


class DashboardScreen(Screen[None]):
    """Asks the client once an interval and shows its panels what it answered.

    Args:
        client: Who is asked.
        view: How it is shown.
    """

    DEFAULT_CSS = """
    DashboardScreen { background: $background; color: $foreground; }
    #layers { height: 1fr; min-height: 4; }
    DashboardScreen.-narrow #layers { layout: vertical; }
    DashboardScreen.-narrow LayerPanel { margin-right: 0; }
    .hidden { display: none; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (66, "-beside")]  # noqa: RUF012 - Textual's own declaration
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mode", show=False),
        Binding("l", "language", show=False),
        Binding("p,space", "pause", show=False),
        Binding("plus,equals_sign", "faster", show=False),
        Binding("minus", "slower", show=False),
        Binding("r", "ask", show=False),
        Binding("left,h", "layer(-1)", show=False),
        Binding("right", "layer(1)", show=False),
    ]

    def __init__(self, client: Client, view: View) -> None:
        super().__init__()
        self._client = client
        self._view = view
        self._vitals = load()
        self._units = {vital.name: vital.unit for vital in self._vitals}
        self._trails = Trails()
        self._overview: Overview | None = None
        self._arrived = 0.0
        self._problem = ""
        self._asking = False
        self._seeded = False

    def compose(self) -> ComposeResult:
        """Title, layers, organisation, alerts, keys."""
        yield TitleBar()
        yield NoticeBar()
        with Horizontal(id="layers"):
            for layer in LAYERS:
                yield LayerPanel(layer)
        yield WorkersPanel(id="workers")
        yield AlertsPanel(id="alerts")
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask at once, and then every interval."""
        self.query_one("#layer-ai").add_class("last")
        self._show_parts()
        self._timer = self.set_interval(self._view.interval, self._tick)
        self.action_ask()

    def on_resize(self) -> None:
        """The title fills the new width."""
        self._draw()

    def action_ask(self) -> None:
        """Ask now, unless an answer is still awaited."""
        if not self._asking:
            self._asking = True
            # A daemon thread, so that a server that never answers cannot keep the user from leaving.
            threading.Thread(target=self._ask, name="sanso-ask", daemon=True).start()

    def action_mode(self) -> None:
        """Everything, performance only, organisation only."""
        following = {(True, True): (True, False), (True, False): (False, True), (False, True): (True, True)}
        self._view.layers, self._view.workers = following[self._view.layers, self._view.workers]
        self._show_parts()

    def action_language(self) -> None:
        """English or Japanese."""
        self._view.lang = "en" if self._view.lang == "ja" else "ja"
        self._draw()

    def action_pause(self) -> None:
        """Stop asking, and go on."""
        self._view.paused = not self._view.paused
        if not self._view.paused:
            self._seeded = False
            self.action_ask()
        self._draw()

    def action_faster(self) -> None:
        """A shorter interval."""
        self._change_interval(max((step for step in _INTERVALS if step < self._view.interval), default=None))

    def action_slower(self) -> None:
        """A longer interval."""
        self._change_interval(min((step for step in _INTERVALS if step > self._view.interval), default=None))

    def action_layer(self, steps: int) -> None:
        """Go to the layer beside."""
        panels = list(self.query(LayerPanel))
        places = [index for index, panel in enumerate(panels) if panel.has_focus]
        panels[(places[0] + steps) % len(panels) if places else 0].focus()

    def action_open(self) -> None:
        """Open the chosen sign (the key bar's click)."""
        panel = next((panel for panel in self.query(LayerPanel) if panel.has_focus), self.query(LayerPanel).first())
        panel.action_open()

    def on_layer_panel_chosen(self, event: LayerPanel.Chosen) -> None:
        """Show more of one sign."""
        self.app.push_screen(DetailScreen(self._client, event.row.vital, self._view.lang, self._view.clock))

    def on_overview_came(self, event: OverviewCame) -> None:
        """Show what was answered."""
        self._asking = False
        if self._problem:
            self._seeded = False  # the gap is stored where the server went on
        self._problem, self._overview = "", event.overview
        self._arrived = self._view.clock.monotonic()
        self._trails.extend(event.overview)
        self._draw()

    def on_histories_came(self, event: HistoriesCame) -> None:
        """Begin the sparklines with what was stored."""
        self._seeded = True
        self._trails.seed(event.histories)
        self._draw()

    def on_asking_failed(self, event: AskingFailed) -> None:
        """Say so, and keep what is shown."""
        self._asking = False
        self._problem = event.reason
        self._draw()

    def _tick(self) -> None:
        if not self._view.paused:
            self.action_ask()
        if self._problem:
            self._draw()

    def _ask(self) -> None:
        """In a thread of its own: the figures first, then what was stored."""
        seed = not self._seeded
        answer = ask_overview(self._client)
        if not self.post_message(answer) or not seed or isinstance(answer, AskingFailed):
            return
        names = [vital.name for vital in self._vitals if not vital.label]
        self.post_message(ask_histories(self._client, names, self._view.interval))

    def _change_interval(self, seconds: float | None) -> None:
        if seconds is not None:
            self._view.interval = seconds
            self._seeded = False  # a trail has one value an interval
            self._timer.stop()
            self._timer = self.set_interval(seconds, self._tick)
            self._draw()

    def _show_parts(self) -> None:
        view = self._view
        self.query_one("#layers").set_class(not view.layers, "hidden")
        workers = self.query_one(WorkersPanel)
        workers.set_class(not view.workers, "hidden")
        workers.set_class(not view.layers, "alone")
        if view.layers and not any(panel.has_focus for panel in self.query(LayerPanel)):
            self.query(LayerPanel).first().focus()
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        lang = self._view.lang
        self.query_one(KeyBar).show(lang)
        self.query_one(NoticeBar).show(self._notices())
        self._draw_title()
        if self._overview is None:
            return
        panels = list(self.query(LayerPanel))
        rows = [rows_of(panel.of, self._vitals, self._overview, self._trails, lang) for panel in panels]
        for panel, own in zip(panels, rows, strict=True):
            panel.show(LayerView(layer_title(panel.of, lang), own, max(map(len, rows)), self._view.interval, lang))
        self.query_one(WorkersPanel).show(self._overview, lang)
        self.query_one(AlertsPanel).show(self._overview, self._units, lang)

    def _draw_title(self) -> None:
        view, found = self._view, self._overview
        where = say("here", view.lang) if self._client.where == "this process" else self._client.where
        paused = say("paused", view.lang) if view.paused else ""
        pace = f"{format_duration(view.interval)}"
        if found is None:
            self.query_one(TitleBar).show(where, [paused, pace], Status.UNKNOWN, view.lang)
            return
        moment = datetime.fromtimestamp(found.time_ms / 1000, UTC).astimezone(view.zone).strftime("%H:%M:%S")
        times = [paused, pace, moment]
        self.query_one(TitleBar).show(f"{found.host} · {where}", times, overall(found), view.lang)

    def _notices(self) -> list[str]:
        lang = self._view.lang
        if not self._problem:
            if self._overview is None:
                return [say("waiting_first", lang)]
            return list(self._overview.notices)
        notice = say("no_answer", lang).format(where=self._client.where, error=self._problem)
        if self._overview is None:
            return [notice]
        age = age_text(self._view.clock.monotonic() - self._arrived, lang)
        return [f"{notice} – {say('data_age', lang).format(age=age)}"]
