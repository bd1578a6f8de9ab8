"""Open the screen on a real terminal, or without one for a picture."""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial

from rich.console import Console
from textual.pilot import Pilot

from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.app.app import QdmonApp
from qdmon.tui.app.terminal import look_for, output_encoding
from qdmon.tui.fitness import unfit_here
from qdmon.tui.ingest import Ingest
from qdmon.tui.view.link import LinkState
from qdmon.tui.view.scene import View
from streams.control import give_order
from streams.endpoints import Endpoints

__all__ = ["draw_picture", "start"]

_FPS_LIMITS = (1, 30)
_SETTLING_PAUSES = 100


def start(endpoints: Endpoints, *, title: str, fps: int, ascii_only: bool, mouse: bool) -> int:
    """See `qdmon.tui.run`."""
    reason = unfit_here()
    if reason is not None:
        print(f"qdmon: {reason}", file=sys.stderr)
        return 2
    fps = min(max(fps, _FPS_LIMITS[0]), _FPS_LIMITS[1])
    chosen = os.environ.get("TEXTUAL_COLOR_SYSTEM", "auto")
    colours = Console(stderr=True).color_system if chosen == "auto" else chosen
    look = look_for(os.environ, output_encoding(), colours, ascii_only=ascii_only)
    app = QdmonApp(
        Ingest.of(endpoints, fps=fps), look, title=title, fps=fps, give=partial(give_order, endpoints)
    )
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: os._exit(129))
    app.run(mouse=mouse)
    return app.return_code or 0


class _Still:
    """A source with one view."""

    def __init__(self, view: View) -> None:
        self._view: View | None = view

    def start(self, notify: Callable[[], None]) -> None:
        """The view waits at once."""
        notify()

    def take(self) -> View | None:
        """The view, once."""
        view, self._view = self._view, None
        return view

    def stop(self) -> None:
        """Nothing to end."""


def draw_picture(
    snapshot: Snapshot, size: tuple[int, int], link: LinkState | None, *, panel: str, title: str
) -> str:
    """See `qdmon.tui.screenshot`."""
    view = View(snapshot, link or LinkState(phase="live", heard_s=0.0))
    app = QdmonApp(_Still(view), title=title)
    pictures: list[str] = []

    async def take(pilot: Pilot[int]) -> None:
        for _ in range(_SETTLING_PAUSES):
            await pilot.pause()
            if app.scene.newest is not None:
                break
        app.action_panel(panel)
        await pilot.pause()
        await pilot.pause()
        pictures.append(app.picture())
        app.exit(0)

    app.run(headless=True, size=size, auto_pilot=take)  # type: ignore[arg-type]
    return pictures[0]
