"""The event list: in its panel, on one line, and as the whole log."""

from qdmon.tui.panels.box import centred, panel_box
from qdmon.tui.render.frame import Frame, Rect
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.events import EventLine, event_lines
from qdmon.tui.view.numbers import seconds
from qdmon.tui.view.scene import Scene

__all__ = ["paint_event_line", "paint_events", "paint_log"]

_TIME_CELLS = 9
_KIND_CELLS = 15


def _draw_event(frame: Frame, rect: Rect, y: int, event: EventLine) -> None:
    frame.text_right(rect.x + _TIME_CELLS - 1, y, seconds(event.time_s), Ink.MUTED)
    frame.text(rect.x + _TIME_CELLS, y, f"{event.mark} ", event.ink)
    frame.text(
        rect.x + _TIME_CELLS + 2, y, event.kind, Ink.MUTED, stop=rect.x + _TIME_CELLS + _KIND_CELLS + 1
    )
    frame.text(rect.x + _TIME_CELLS + 2 + _KIND_CELLS, y, event.text, event.ink, stop=rect.right)


def paint_events(frame: Frame, scene: Scene) -> None:
    """The newest events, as many as fit."""
    events = event_lines(scene)
    legend = [(f"{len(events)} in all, e for the log", Ink.MUTED)] if events else []
    inner = panel_box(frame, scene, "events", "events", legend)
    if not events:
        centred(frame, inner, [("nothing has happened yet", Ink.MUTED)])
    for row, event in enumerate(events[: inner.height]):
        _draw_event(frame, inner, inner.y + row, event)


def paint_log(frame: Frame, scene: Scene) -> None:
    """All events; the frame is made as high as the list is long."""
    for row, event in enumerate(event_lines(scene)[: frame.height]):
        _draw_event(frame, frame.rect, row, event)


def paint_event_line(frame: Frame, scene: Scene) -> None:
    """The newest event on one line."""
    events = event_lines(scene)
    if events:
        newest = events[0]
        frame.spans(
            1,
            0,
            [
                (f"{seconds(newest.time_s)} ", Ink.MUTED),
                (f"{newest.mark} {newest.kind}: {newest.text}", newest.ink),
            ],
        )
