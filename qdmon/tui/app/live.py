"""The live screen: which widgets there are and which of them a layout shows."""

from collections.abc import Sequence

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Grid, Horizontal
from textual.screen import Screen

from qdmon.tui.app.painted import PaintedWidget
from qdmon.tui.panels.banner import banner_rows
from qdmon.tui.view.scene import PANELS, Controls, Layout, Scene

__all__ = ["LiveScreen", "visible_widgets"]

_FAST = ("trace",)
"""Shown at the full frame rate; the others change slowly and are repainted twice a second."""

_GRID_ORDER = ("trace", "flid", "decay", "g2")


def visible_widgets(layout: Layout, controls: Controls) -> frozenset[str]:
    """Ids of the widgets a layout shows, the banner apart."""
    if layout in ("numbers", "row", "message"):
        return frozenset({"readouts"})
    main = "events-main" if controls.selected == "events" else controls.selected
    if layout == "compact":
        chrome = {"tabs", "status"} if controls.expanded else {"readouts", "tabs", "event-line", "status"}
        return frozenset({*chrome, "main", main})
    if controls.expanded:
        return frozenset({"header", "readouts", "main", main, "status"})
    return frozenset({"header", "readouts", "main", *_GRID_ORDER, "lower", "events", "steps", "status"})


class LiveScreen(Screen[None]):
    """The dashboard in all its sizes."""

    def compose(self) -> ComposeResult:
        """Every widget of every layout; `show` decides which are seen."""
        yield PaintedWidget("header")
        yield PaintedWidget("banner")
        yield PaintedWidget("readouts")
        yield PaintedWidget("tabs")
        with Grid(id="main"):
            for panel in _GRID_ORDER:
                yield PaintedWidget(panel)
            yield PaintedWidget("events", id="events-main")
        with Horizontal(id="lower"):
            yield PaintedWidget("events")
            yield PaintedWidget("steps")
        yield PaintedWidget("event-line")
        yield PaintedWidget("status")

    def show(self, scene: Scene, ink_styles: Sequence[Style], *, everything: bool) -> None:
        """Arrange for the scene and paint it; without `everything` only what changes fast is painted."""
        self._arrange(scene)
        for widget in self.query(PaintedWidget):
            if widget.display and (everything or widget.panel in _FAST):
                widget.show(scene, ink_styles)

    def _arrange(self, scene: Scene) -> None:
        seen = visible_widgets(scene.layout, scene.controls)
        for widget in self.query("PaintedWidget, #main, #lower"):
            if widget.id != "banner":
                widget.display = widget.id in seen
        rows = banner_rows(scene)
        banner = self.query_one("#banner")
        banner.display = rows > 0
        banner.styles.height = rows
        for layout in ("wide", "compact", "numbers", "row", "message"):
            self.set_class(scene.layout == layout, layout)
        grid_cells = [i for i in seen if i in PANELS or i == "events-main"]
        self.query_one("#main").set_class(len(grid_cells) - ("events" in seen) == 1, "single")
