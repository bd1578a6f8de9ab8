"""A widget that shows a frame and sends the terminal only the rows that changed."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from qdmon.tui.panels import PAINTERS
from qdmon.tui.render.frame import Frame
from qdmon.tui.render.theme import Look, paints
from qdmon.tui.view.scene import Scene

__all__ = ["PaintedWidget", "styles_for"]


def styles_for(look: Look) -> list[Style]:
    """(INK_COUNT,) the style of every ink; never None, which the toolkit's no-colour filter cannot take."""
    return [
        Style(color=p.foreground, bgcolor=p.background, bold=p.bold, dim=p.dim, reverse=p.reverse)
        for p in paints(look)
    ]


class PaintedWidget(Widget):
    """Carries the frames of one painter to the screen."""

    can_focus = False

    def __init__(self, panel: str, *, id: str | None = None) -> None:
        super().__init__(id=id or panel)
        self.panel = panel
        self.frame = Frame(0, 0)
        self._paint = PAINTERS[panel]
        self._scene: Scene | None = None
        self._ink_styles: Sequence[Style] = [Style()]

    def show(self, scene: Scene, ink_styles: Sequence[Style]) -> None:
        """Paint a scene; only rows that differ from what is shown are refreshed."""
        repaint_all = ink_styles is not self._ink_styles
        self._scene, self._ink_styles = scene, ink_styles
        self._draw(repaint_all=repaint_all)

    def _draw(self, *, repaint_all: bool = False) -> None:
        if self._scene is None or not self.size.width or not self.size.height:
            return
        frame = Frame(*self.size, ascii_only=self._scene.look.ascii_only)
        self._paint(frame, self._scene)
        before, self.frame = self.frame, frame
        if repaint_all or before.codes.shape != frame.codes.shape:
            self.refresh()
            return
        # The toolkit sends a dirty row from the widget's left edge on, so the right end is what saves bytes.
        regions = [Region(0, c.y, c.stop, 1) for c in frame.changes(before)]
        if regions:
            self.refresh(*regions)

    def on_resize(self) -> None:
        """Paint again at the new size."""
        self._draw(repaint_all=True)

    def render_line(self, y: int) -> Strip:
        """One row of the frame."""
        if not 0 <= y < self.frame.height:
            return Strip([Segment(" " * self.size.width, self._ink_styles[0])], self.size.width)
        styles = self._ink_styles
        return Strip([Segment(text, styles[ink]) for text, ink in self.frame.runs(y)], self.frame.width)
