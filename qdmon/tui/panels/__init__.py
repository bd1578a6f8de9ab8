"""Each panel paints one `Scene` into one `Frame`. Pure; the toolkit only carries frames to the terminal."""

from collections.abc import Callable

from qdmon.tui.panels.banner import paint_banner
from qdmon.tui.panels.decay import paint_decay
from qdmon.tui.panels.events import paint_event_line, paint_events, paint_log
from qdmon.tui.panels.flid import paint_flid
from qdmon.tui.panels.g2 import paint_g2
from qdmon.tui.panels.readouts import paint_readouts
from qdmon.tui.panels.status import paint_header, paint_status, paint_tabs
from qdmon.tui.panels.steps import paint_steps
from qdmon.tui.panels.trace import paint_trace
from qdmon.tui.render.frame import Frame
from qdmon.tui.view.scene import Scene

__all__ = ["PAINTERS", "Painter"]

Painter = Callable[[Frame, Scene], None]

PAINTERS: dict[str, Painter] = {
    "header": paint_header,
    "banner": paint_banner,
    "readouts": paint_readouts,
    "tabs": paint_tabs,
    "trace": paint_trace,
    "decay": paint_decay,
    "g2": paint_g2,
    "flid": paint_flid,
    "events": paint_events,
    "log": paint_log,
    "steps": paint_steps,
    "event-line": paint_event_line,
    "status": paint_status,
}
