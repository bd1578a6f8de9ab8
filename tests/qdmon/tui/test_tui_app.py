"""The app through its keys: every layout, every key, alerts, silence, no colour, saving."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.app.app import QdmonApp
from qdmon.tui.app.keys import KEYS
from qdmon.tui.app.live import visible_widgets
from qdmon.tui.app.pages import HelpScreen, LogScreen, help_text
from qdmon.tui.app.painted import PaintedWidget, styles_for
from qdmon.tui.app.terminal import look_for, writer_backlog
from qdmon.tui.render.theme import PALETTES, Look
from qdmon.tui.view.link import LinkState
from qdmon.tui.view.scene import Controls, View
from tests.qdmon.tui.builders import live_link, snapshot

WIDE, COMPACT = (200, 50), (80, 24)


class Hand:
    """A source that hands over what the test gives it."""

    def __init__(self, *views: View) -> None:
        self.views = list(views)
        self.notify: Callable[[], None] = lambda: None
        self.started = self.stopped = False

    def start(self, notify: Callable[[], None]) -> None:
        self.notify = notify
        self.started = True
        if self.views:
            notify()

    def take(self) -> View | None:
        return self.views.pop(0) if self.views else None

    def stop(self) -> None:
        self.stopped = True


class Desk:
    """An app under test, with its source and a clock the test moves."""

    def __init__(
        self, shown: Snapshot | None = None, look: Look | None = None, folder: Path | None = None
    ) -> None:
        self.now_s = 100.0
        self.source = Hand(View(shown or snapshot(20.0), live_link(self.now_s)))
        self.app = QdmonApp(
            self.source,
            look,
            folder=folder,
            clock=lambda: self.now_s,
            wall_clock=lambda: datetime(2024, 5, 6, 7, 8, 9),
        )

    async def ready(self, pilot: Pilot[int]) -> None:
        """The first frame is drawn and the first view taken."""
        for _ in range(50):
            await pilot.pause()
            if self.source.started and not self.source.views:
                break
        await pilot.pause()

    async def give(self, pilot: Pilot[int], shown: Snapshot | None, link: LinkState | None = None) -> None:
        """A new view arrives a second later."""
        self.now_s += 1.0
        self.source.views.append(View(shown, link or live_link(self.now_s)))
        self.source.notify()
        await pilot.pause()

    def text(self, widget: str) -> str:
        """What a widget shows."""
        return str(self.app.screen.query_one(f"#{widget}", PaintedWidget).frame)

    def shown(self) -> set[str | None]:
        """Ids of the widgets on screen."""
        return {w.id for w in self.app.screen.query(PaintedWidget) if w.display and w.size.width}


async def test_a_wide_terminal_shows_everything_at_once() -> None:
    desk = Desk()
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        panels = {"trace", "flid", "decay", "g2", "events", "steps"}
        assert desk.shown() == {"header", "readouts", "status", *panels}
        assert "LIVE" in desk.text("header")
        assert "laser emission ON" in desk.text("status")


async def test_a_small_terminal_shows_one_panel_and_its_number_keys_choose_which() -> None:
    desk = Desk()
    async with desk.app.run_test(size=COMPACT) as pilot:
        await desk.ready(pilot)
        chrome = {"readouts", "tabs", "event-line", "status"}
        assert desk.shown() == {*chrome, "trace"}
        for key, panel in zip("2345", ("decay", "g2", "flid", "events-main"), strict=True):
            await pilot.press(key)
            await pilot.pause()
            assert desk.shown() == {*chrome, panel}
            assert desk.text(panel).startswith(f"{key} ")


@pytest.mark.parametrize("size", [(50, 14), (45, 5), (30, 8)])
async def test_tiny_terminals_show_numbers_or_say_they_are_too_small(size: tuple[int, int]) -> None:
    desk = Desk()
    async with desk.app.run_test(size=size) as pilot:
        await desk.ready(pilot)
        assert desk.shown() == {"readouts"}
        words = "".join(desk.text("readouts").splitlines()).lower()
        assert ("enlarge to at least 40x12" if size == (30, 8) else "auger 97%") in words


async def test_resizing_changes_the_layout() -> None:
    desk = Desk()
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        await pilot.resize_terminal(*COMPACT)
        await pilot.pause()
        assert "tabs" in desk.shown()
        await pilot.resize_terminal(*WIDE)
        await pilot.pause()
        assert "steps" in desk.shown()


async def test_the_first_frame_is_drawn_before_any_analysis_is_there() -> None:
    desk = Desk()
    desk.source.views.clear()
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        assert "loading analysis..." in desk.text("readouts")
        assert "laser UNKNOWN: assume ON" in desk.text("status")


async def test_pause_holds_the_picture_while_data_go_on() -> None:
    desk = Desk()
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        await pilot.press("space")
        await desk.give(pilot, snapshot(24.0))
        assert "PAUSED, 4.0 s behind" in desk.text("header")
        assert desk.app.scene.snapshot is not None
        assert desk.app.scene.snapshot.time_s == 20.0
        await pilot.press("space")
        assert desk.app.scene.snapshot.time_s == 24.0


async def test_an_alert_is_shown_and_rung_even_while_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    rung: list[int] = []
    monkeypatch.setattr(desk.app, "bell", lambda: rung.append(1))
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        assert "banner" not in desk.shown()
        await pilot.press("space")
        await desk.give(pilot, snapshot(40.0, reversible=None))
        assert "banner" in desk.shown()
        assert "auger → bc" in desk.text("banner")
        await desk.give(pilot, snapshot(60.0, reversible=False))
        assert "IRREVERSIBLE" in desk.text("banner")
        assert rung == [1]
        await pilot.press("a")
        await pilot.pause()
        assert "banner" not in desk.shown()
        await desk.give(pilot, snapshot(64.0))
        assert "banner" not in desk.shown()
        assert "conversion" in desk.text("events")


async def test_a_silent_daemon_is_plain_to_see_and_its_return_too() -> None:
    desk = Desk()
    async with desk.app.run_test(size=COMPACT) as pilot:
        await desk.ready(pilot)
        await desk.give(pilot, snapshot(20.0), live_link(desk.now_s, silent_s=12.0))
        assert "NO DATA since 12 s: daemon silent" in desk.text("banner")
        assert "NO DATA" in desk.text("status")
        assert "laser UNKNOWN: assume ON" in desk.text("status")
        await desk.give(pilot, snapshot(21.0))
        assert "banner" not in desk.shown()
        assert "LIVE" in desk.text("status")


async def test_a_source_that_says_nothing_is_noticed() -> None:
    desk = Desk()
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        desk.now_s += 7.0
        desk.app._watch()
        assert "busy for 7 s" in desk.text("readouts")


async def test_expanding_gives_a_panel_all_the_room() -> None:
    desk = Desk()
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        await pilot.press("3", "z")
        await pilot.pause()
        assert desk.shown() == {"header", "readouts", "g2", "status"}
        assert desk.app.screen.query_one("#g2").size.width == 200
        await pilot.press("enter")
        await pilot.pause()
        assert "trace" in desk.shown()


async def test_zooming_and_scrolling_and_back_to_live() -> None:
    desk = Desk(snapshot(60.0, converted=False))
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        await pilot.press("plus")
        assert desk.app.scene.controls.window_s == 20.0
        assert "20 s" in desk.text("trace")
        await pilot.press("left", "left")
        assert desk.app.scene.controls.back_s == pytest.approx(10.0)
        assert "SCROLLED BACK" in desk.text("header")
        await pilot.press("right")
        assert desk.app.scene.controls.back_s == pytest.approx(5.0)
        await pilot.press("left", "left", "left", "left", "left", "left", "left", "left", "left")
        assert desk.app.scene.controls.back_s == pytest.approx(40.0)  # the first photon is at the left edge
        await pilot.press("0")
        assert desk.app.scene.controls.back_s == 0.0
        assert "LIVE" in desk.text("header")
        for _ in range(12):
            await pilot.press("minus")
        assert desk.app.scene.controls.window_s == 600.0


async def test_units_and_log_toggle() -> None:
    desk = Desk()
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        await pilot.press("u", "l")
        assert "counts per bin" in desk.text("trace")
        assert "(log)" not in desk.text("decay")


async def test_help_shows_every_key_and_the_log_every_event() -> None:
    for key in KEYS:
        assert key.title in help_text()
    desk = Desk(snapshot(60.0))
    async with desk.app.run_test(size=COMPACT) as pilot:
        await desk.ready(pilot)
        await pilot.press("question_mark")
        assert isinstance(desk.app.screen, HelpScreen)
        await pilot.press("escape", "e")
        await pilot.pause()
        assert isinstance(desk.app.screen, LogScreen)
        assert "fifo overrun" in desk.text("log")
        await desk.give(pilot, snapshot(61.0))
        await pilot.press("e")
        await pilot.pause()
        assert "trace" in desk.shown()


async def test_the_palette_knows_every_action() -> None:
    desk = Desk()
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"per bin")
        await pilot.pause()
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert desk.app.scene.controls.per_bin


async def test_themes_go_round() -> None:
    desk = Desk()
    async with desk.app.run_test(size=COMPACT) as pilot:
        await desk.ready(pilot)
        for palette in (*PALETTES[1:], PALETTES[0]):
            await pilot.press("t")
            await pilot.pause()
            assert desk.app.theme == f"qdmon-{palette.name}"
            assert desk.app.scene.look.palette is palette


async def test_saving_writes_picture_and_numbers_and_never_over_a_file(tmp_path: Path) -> None:
    desk = Desk(folder=tmp_path)
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        await pilot.press("s", "s")
        await pilot.pause()
    stem = "qdmon-20240506-070809"
    names = [f"{stem}-2.npz", f"{stem}-2.svg", f"{stem}.npz", f"{stem}.svg"]
    assert all((tmp_path / name).exists() for name in names)
    with np.load(tmp_path / f"{stem}.npz") as data:
        assert data["trace_counts"].tolist() == snapshot(20.0).trace.counts.tolist()
        assert '"blinking": "auger"' in str(data["about"])


async def test_a_folder_that_cannot_be_written_is_one_plain_line(tmp_path: Path) -> None:
    desk = Desk(folder=tmp_path / "missing")
    told: list[str] = []
    desk.app.notify = lambda message, **_: told.append(message)  # type: ignore[method-assign]
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        await pilot.press("s")
    assert len(told) == 1
    assert told[0].startswith("not saved: ")


@pytest.mark.parametrize("size", [WIDE, COMPACT])
async def test_without_colour_nothing_crashes_and_no_colour_is_sent(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    desk = Desk(snapshot(60.0), look_for({"NO_COLOR": "1"}, "utf-8", "truecolor", ascii_only=False))
    async with desk.app.run_test(size=size) as pilot:
        await desk.ready(pilot)
        for key in ("1", "2", "3", "4", "5", "z", "z", "question_mark", "escape", "e", "escape"):
            await pilot.press(key)
            await pilot.pause()
        for widget in desk.app.screen.query(PaintedWidget):
            if widget.display and widget.size.width:
                strips = [widget.render_line(y) for y in range(widget.size.height)]
                assert all(s.style is not None and s.style.color is None for strip in strips for s in strip)


async def test_a_frame_waits_while_the_terminal_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    queued = [3]
    monkeypatch.setattr("qdmon.tui.app.app.writer_backlog", lambda _: queued[0])
    monkeypatch.setattr(desk.app, "set_timer", lambda *_: None)
    async with desk.app.run_test(size=COMPACT) as pilot:
        await desk.ready(pilot)
        assert desk.text("readouts")
        assert desk.app.scene.snapshot is None
        queued[0] = 0
        desk.app._retry()
        await pilot.pause()
        assert desk.app.scene.snapshot is not None


async def test_only_changed_rows_are_sent_again() -> None:
    desk = Desk()
    async with desk.app.run_test(size=WIDE) as pilot:
        await desk.ready(pilot)
        widget = desk.app.screen.query_one("#trace", PaintedWidget)
        sent: list[object] = []
        widget.refresh = lambda *regions, **_: sent.extend(regions or ["all"])  # type: ignore[method-assign,assignment]
        styles = desk.app._ink_styles
        widget.show(desk.app.scene, styles)
        assert sent == []
        widget.show(replace(desk.app.scene, controls=Controls(selected="trace", back_s=1.0)), styles)
        assert sent
        assert "all" not in sent


async def test_quitting_stops_the_source() -> None:
    desk = Desk()
    async with desk.app.run_test(size=COMPACT) as pilot:
        await desk.ready(pilot)
        await pilot.press("q")
    assert desk.source.stopped
    assert desk.app.return_code == 0


def test_expanding_in_a_small_terminal_hides_the_readouts() -> None:
    assert "readouts" not in visible_widgets("compact", Controls(expanded=True))


@pytest.mark.parametrize("look", [Look(), Look(depth="few"), Look(depth="none"), Look(palette=PALETTES[2])])
def test_every_ink_has_a_style(look: Look) -> None:
    assert all(style is not None for style in styles_for(look))


def test_a_toolkit_without_a_writer_queue_never_drops_frames() -> None:
    assert writer_backlog(QdmonApp(Hand())) == 0
