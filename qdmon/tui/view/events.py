"""The event list: what the analysis found and what happened to the link, newest first."""

from dataclasses import dataclass

from qdmon.tui.render.inks import Ink
from qdmon.tui.view.scene import Scene
from streams.text import clean_text

__all__ = ["EventLine", "event_lines"]

_INKS = {"info": Ink.TEXT, "warning": Ink.WARN, "alert": Ink.ALERT}
_MARKS = {"info": "·", "warning": "▲", "alert": "■"}


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line.

    Attributes:
        time_s: stream time; None if it happened before there was any.
        mark: a glyph for how serious it is.
        kind: one word.
        text: what happened.
        ink: how loud.
    """

    time_s: float | None
    mark: str
    kind: str
    text: str
    ink: Ink


def event_lines(scene: Scene) -> tuple[EventLine, ...]:
    """Newest first."""
    lines = [
        EventLine(e.time_s, _MARKS[e.severity], clean_text(e.kind), clean_text(e.text), _INKS[e.severity])
        for e in (scene.newest.events if scene.newest else ())
    ]
    lines += [
        EventLine(n.time_s, _MARKS[n.severity], "link", clean_text(n.text), _INKS[n.severity])
        for n in scene.link.notes
    ]
    return tuple(sorted(lines, key=lambda e: -1.0 if e.time_s is None else e.time_s)[::-1])
