"""Around a panel: a thin box with the title in its upper edge, or only the title where room is short."""

from collections.abc import Sequence

from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.scene import PANELS, Panel, Scene

__all__ = ["centred", "draw_box", "panel_box"]

Parts = Sequence[tuple[str, int]]


def draw_box(frame: Frame, rect: Rect, ink: int) -> None:
    """A thin box with round corners along the edge of `rect`."""
    right, bottom = rect.right - 1, rect.bottom - 1
    frame.fill(Rect(rect.x, rect.y, rect.width, 1), "─", ink)
    frame.fill(Rect(rect.x, bottom, rect.width, 1), "─", ink)
    frame.fill(Rect(rect.x, rect.y + 1, 1, max(0, rect.height - 2)), "│", ink)
    frame.fill(Rect(right, rect.y + 1, 1, max(0, rect.height - 2)), "│", ink)
    for x, y, corner in (
        (rect.x, rect.y, "╭"),
        (right, rect.y, "╮"),
        (rect.x, bottom, "╰"),
        (right, bottom, "╯"),
    ):
        frame.text(x, y, corner, ink)


def panel_box(frame: Frame, scene: Scene, panel: Panel, title: str, legend: Parts = ()) -> Rect:
    """Draw the frame of a panel and return what is inside.

    Args:
        frame: all of it is the panel's.
        scene: what is shown.
        panel: which one, for its number key.
        title: its name.
        legend: (text, ink) pairs, written at the right where they fit.
    """
    boxed = scene.layout == "wide"
    selected = boxed and scene.controls.selected == panel
    edge = 2 if boxed else 0
    if boxed:
        draw_box(frame, frame.rect, Ink.BORDER_SELECTED if selected else Ink.FAINT)
    number = PANELS.index(panel) + 1
    gap = " " if boxed else ""
    x = frame.spans(
        edge,
        0,
        [
            (f"{gap}{number} ", Ink.MUTED),
            (f"{title}{gap}", Ink.TITLE_SELECTED if selected or not boxed else Ink.TITLE),
        ],
        stop=frame.width - edge,
    )
    start = frame.width - edge - sum(frame.measure(text) for text, _ in legend) - 2 * len(gap)
    if legend and start > x:
        frame.spans(start, 0, [(gap, Ink.TEXT), *legend, (gap, Ink.TEXT)])
    return frame.rect.inset(1, 1, 2, 1) if boxed else frame.rect.inset(0, 1, 0, 0)


def centred(frame: Frame, rect: Rect, lines: Sequence[tuple[str, int]]) -> None:
    """Lines of text in the middle of `rect`."""
    y = rect.y + max(0, (rect.height - len(lines)) // 2)
    for text, ink in lines:
        x = rect.x + max(0, (rect.width - frame.measure(text)) // 2)
        frame.text(x, y, text, ink, stop=rect.right)
        y += 1
