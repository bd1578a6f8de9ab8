"""The app: takes views from a source, keeps what the user chose, and has the screens draw both."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar, cast

from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message
from textual.theme import Theme

from qdmon.tui.app.commands import KeyCommands
from qdmon.tui.app.export import save_both
from qdmon.tui.app.keys import KEYS
from qdmon.tui.app.live import LiveScreen
from qdmon.tui.app.operator import Operator
from qdmon.tui.app.pages import HelpScreen, LogScreen, Page
from qdmon.tui.app.painted import PaintedWidget, styles_for
from qdmon.tui.app.terminal import terminal_gone, writer_backlog
from qdmon.tui.ingest import ViewSource
from qdmon.tui.panels.trace import trace_end_s
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.svg import frame_svg
from qdmon.tui.render.theme import PALETTES, Look, Palette, paints
from qdmon.tui.view.alerts import alerts, pending
from qdmon.tui.view.scene import WINDOWS_S, Panel, Scene, View, layout_for
from streams.orders import Order, Reply
from streams.text import clean_text

__all__ = ["QdmonApp"]

_SLOW_S = 0.5
_NO_NEWS_S = 3.0


def _theme(palette: Palette) -> Theme:
    """What the toolkit's own parts (help, palette) need of our colours."""
    colours = palette.colours
    return Theme(
        name=f"qdmon-{palette.name}",
        primary=colours["border_selected"],
        accent=colours["model"],
        warning=colours["warn"],
        error=colours["alert"],
        success=colours["ok"],
        foreground=colours["text"],
        background=palette.background,
        surface=palette.background,
        panel=colours["faint"],
        dark=palette.dark,
    )


def _state(scene: Scene) -> tuple[object, ...]:
    """What must be on screen at once when it changes."""
    return scene.newest is None, scene.link.phase, scene.link.lost


class NewView(Message):
    """A view waits at the source; many of these are as good as one."""

    def can_replace(self, message: Message) -> bool:
        """Bursts become one."""
        return isinstance(message, NewView)


class QdmonApp(App[int]):
    """The live screen.

    Args:
        source: of views.
        look: what the terminal can show.
        title: for the terminal's title bar and for pictures.
        fps: frames a second at most.
        give: gives an order to the daemon and waits for its reply; None if there is no way.
        folder: where `s` saves.
        clock: monotonic seconds.
        wall_clock: for file names.
    """

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar = {KeyCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.title, show=False, priority=key.action == "quit") for key in KEYS
    ]

    def __init__(
        self,
        source: ViewSource,
        look: Look | None = None,
        *,
        title: str = "",
        fps: int = 10,
        give: Callable[[Order], Reply] | None = None,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        # Without colour the toolkit must not turn its own colours to greys: the terminal may know none.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._source = source
        self._fps = fps
        self._folder = folder or Path.cwd()
        self._clock = clock
        self._wall_clock = wall_clock
        self.title = clean_text(title) or "qdmon"
        self.scene = Scene(look=look or Look())
        self._ink_styles = styles_for(self.scene.look)
        self._live = LiveScreen()
        self._operator = Operator(self, give, clock)
        self._drawn_slow_s = float("-inf")
        self._heard_s = clock()
        self._retrying = False
        self._rung: set[str] = set()
        for palette in PALETTES:
            self.register_theme(_theme(palette))
        self.theme = f"qdmon-{self.scene.look.palette.name}"

    def get_default_screen(self) -> LiveScreen:
        """The dashboard."""
        return self._live

    def on_mount(self) -> None:
        """Draw the first frame, then let the source begin."""
        self.call_after_refresh(self._begin)
        self.set_interval(1.0, self._watch)

    def _begin(self) -> None:
        self._refit(self.size)
        self.call_after_refresh(self._source.start, self._notify)

    def on_unmount(self) -> None:
        """No more views."""
        self._source.stop()

    def on_resize(self, event: Resize) -> None:
        """Another layout may fit now."""
        self._refit(event.size)

    def _refit(self, size: Size) -> None:
        self.scene = replace(self.scene, layout=layout_for(*size))
        self._draw()

    def _notify(self) -> None:
        self.post_message(NewView())

    def on_new_view(self) -> None:
        """Take the view, unless the terminal has not swallowed the last frame yet: then a little later."""
        if self._retrying:
            return
        if writer_backlog(self) > 0:
            self._retrying = True
            self.set_timer(1.0 / self._fps, self._retry)
            return
        view = self._source.take()
        if view is not None:
            self.accept(view)

    def _retry(self) -> None:
        self._retrying = False
        self.on_new_view()

    def accept(self, view: View) -> None:
        """Show a view; while paused only alerts, events and health follow it."""
        self._heard_s = self._clock()
        before = self.scene
        shown = before.snapshot if before.controls.paused else view.snapshot
        self.scene = replace(before, snapshot=shown, newest=view.snapshot, link=view.link)
        fresh = {a.key for a in alerts(self.scene)} - self._rung
        if fresh:
            self._rung |= fresh
            self.bell()
        urgent = bool(fresh) or _state(before) != _state(self.scene)
        self._draw(everything=urgent or self._clock() - self._drawn_slow_s >= _SLOW_S)

    def _watch(self) -> None:
        """Once a second: is the terminal still there, and does the thread behind the source still speak?"""
        if not self.is_headless and terminal_gone():
            self._source.stop()
            os._exit(129)
        silent_s = self._clock() - self._heard_s
        if silent_s > _NO_NEWS_S and self.scene.link.phase == "live":
            problem = f"analysis here busy for {silent_s:.0f} s"
            self.scene = replace(self.scene, link=replace(self.scene.link, problem=problem))
            self._draw()

    def _draw(self, *, everything: bool = True) -> None:
        if not self.is_running or not self._live.is_mounted:
            return
        if everything:
            self._drawn_slow_s = self._clock()
        if self.screen is self._live:
            self._live.show(self.scene, self._ink_styles, everything=everything)
        elif isinstance(self.screen, LogScreen) and everything:
            self.screen.show(self.scene, self._ink_styles)

    def _choose(self, **changes: object) -> None:
        """Change what the user chose and draw it at once."""
        self.scene = replace(self.scene, controls=replace(self.scene.controls, **changes))  # type: ignore[arg-type]
        self._draw()

    def action_pause(self) -> None:
        """Stop or go on following the data; a replay stops by itself, and the view follows it."""
        if self.scene.link.replay and not self.scene.controls.paused:
            self._operator.play_or_pause(self.scene.link)
            return
        paused = not self.scene.controls.paused
        if not paused:
            self.scene = replace(self.scene, snapshot=self.scene.newest)
        self._choose(paused=paused)

    def action_panel(self, panel: str) -> None:
        """Select a panel."""
        self._choose(selected=cast("Panel", panel))

    def action_expand(self) -> None:
        """Give the selected panel all the room, or take it back."""
        self._choose(expanded=not self.scene.controls.expanded)

    def action_record(self) -> None:
        """Start recording, or stop."""
        self._operator.record(self.scene.link)

    def action_faster(self, direction: int) -> None:
        """Zoom into the trace; a replay goes faster."""
        if self.scene.link.replay:
            self._operator.speed(self.scene.link, direction)
        else:
            self.action_zoom(-direction)

    def action_earlier(self, direction: int) -> None:
        """Look further back; a replay goes back."""
        if self.scene.link.replay:
            self._operator.seek(self.scene.link, -direction)
        else:
            self.action_scroll(direction)

    def action_step(self) -> None:
        """A replay plays a moment."""
        self._operator.step()

    def action_loop(self) -> None:
        """A replay begins again at its end, or not."""
        self._operator.loop(self.scene.link)

    def action_zoom(self, steps: int) -> None:
        """Show more or less time."""
        index = WINDOWS_S.index(self.scene.controls.window_s) + steps
        self._choose(window_s=WINDOWS_S[min(max(index, 0), len(WINDOWS_S) - 1)])

    def action_scroll(self, direction: int) -> None:
        """Look further back by a quarter of what is shown, or less far."""
        controls, snapshot = self.scene.controls, self.scene.snapshot
        if snapshot is None:
            return
        newest_s = snapshot.trace.start_s + len(snapshot.trace.counts) * snapshot.trace.bin_s
        back_s = max(0.0, controls.back_s + direction * controls.window_s / 4)
        # What cannot be scrolled to is not counted, so that the way back is as long as the way there.
        reached_s = newest_s - trace_end_s(snapshot, replace(controls, back_s=back_s))
        self._choose(back_s=max(0.0, reached_s))

    def action_live(self) -> None:
        """Follow the newest data."""
        self.scene = replace(self.scene, snapshot=self.scene.newest)
        self._choose(back_s=0.0, paused=False)

    def action_unit(self) -> None:
        """Rates in kcps or in counts per bin, as the paper gives them."""
        self._choose(per_bin=not self.scene.controls.per_bin)

    def action_log(self) -> None:
        """The decay's counts logarithmic or linear."""
        self._choose(log_decay=not self.scene.controls.log_decay)

    def action_acknowledge(self) -> None:
        """All alerts there are have been seen."""
        seen = {a.key for a in pending(self.scene)}
        self._choose(acknowledged=self.scene.controls.acknowledged | seen)

    def action_log_screen(self) -> None:
        """Every event."""
        self._open(LogScreen(self.scene, self._ink_styles))

    def action_help(self) -> None:
        """Keys and signs."""
        self._open(HelpScreen())

    def _open(self, page: Page) -> None:
        """Show a page; the dashboard, which was not painted meanwhile, is brought up to date after it."""

        def closed(_: None) -> None:
            self.call_after_refresh(self._draw)

        self.push_screen(page, closed)

    def action_theme(self) -> None:
        """The next palette."""
        index = PALETTES.index(self.scene.look.palette)
        palette = PALETTES[(index + 1) % len(PALETTES)]
        self.scene = replace(self.scene, look=replace(self.scene.look, palette=palette))
        self._ink_styles = styles_for(self.scene.look)
        self.theme = f"qdmon-{palette.name}"
        self._draw()

    def action_save(self) -> None:
        """Picture and numbers into the folder."""
        try:
            saved = save_both(
                self._folder, self._wall_clock(), self.picture(), self.scene.snapshot, self.scene.link
            )
        except OSError as error:
            self.notify(f"not saved: {error}", severity="error", markup=False)
            return
        names = ", ".join(path.name for path in saved)
        self.notify(f"saved {names} in {self._folder}", markup=False)

    def picture(self) -> str:
        """The dashboard as SVG."""
        whole = Frame(*self.size, ascii_only=self.scene.look.ascii_only)
        for widget in self._live.query(PaintedWidget):
            if widget.display and widget.frame.width:
                x, y, width, height = widget.region
                area = Rect(x, y, min(width, whole.width - x), min(height, whole.height - y))
                whole.codes[y : area.bottom, x : area.right] = widget.frame.codes[: area.height, : area.width]
                whole.inks[y : area.bottom, x : area.right] = widget.frame.inks[: area.height, : area.width]
        palette = self.scene.look.palette
        return frame_svg(
            whole, paints(self.scene.look), palette.background, palette.colours["text"], self.title
        )
