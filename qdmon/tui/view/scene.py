"""Everything a panel may look at when it draws itself."""

from dataclasses import dataclass, field
from typing import Literal

from qdmon.analysis.results.segment import FluenceStep
from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.render.theme import Look
from qdmon.tui.view.link import LinkState

__all__ = ["PANELS", "WINDOWS_S", "Controls", "Layout", "Panel", "Scene", "View", "layout_for"]

Panel = Literal["trace", "decay", "g2", "flid", "events"]
PANELS: tuple[Panel, ...] = ("trace", "decay", "g2", "flid", "events")

Layout = Literal["wide", "compact", "numbers", "row", "message"]

WINDOWS_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Spans the trace can show."""


@dataclass(frozen=True, slots=True)
class View:
    """What the ingest thread hands to the screen: immutable, one at a time."""

    snapshot: Snapshot | None = None
    link: LinkState = field(default_factory=LinkState)


@dataclass(frozen=True, slots=True)
class Controls:
    """What the user chose.

    Attributes:
        selected: the panel that keys and the compact layout refer to.
        expanded: it has the whole area.
        window_s: span of the trace.
        back_s: how far before the newest bin the trace ends; 0 follows the stream.
        paused: what is shown stays while data go on.
        log_decay: logarithmic counts in the decay.
        per_bin: rates as counts per bin instead of kcps.
        acknowledged: keys of the alerts the user has seen.
    """

    selected: Panel = "trace"
    expanded: bool = False
    window_s: float = 30.0
    back_s: float = 0.0
    paused: bool = False
    log_decay: bool = True
    per_bin: bool = False
    acknowledged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scene:
    """What is on screen now.

    Attributes:
        snapshot: the one shown, which stays behind the newest while paused.
        newest: the newest there is: alerts and health look here.
        link: as of now.
        controls: what the user chose.
        layout: how much room there is.
        look: what the terminal can show.
    """

    snapshot: Snapshot | None = None
    newest: Snapshot | None = None
    link: LinkState = field(default_factory=LinkState)
    controls: Controls = field(default_factory=Controls)
    layout: Layout = "wide"
    look: Look = field(default_factory=Look)

    @property
    def behind_s(self) -> float:
        """How far what is shown lies behind what has arrived."""
        if self.snapshot is None or self.newest is None:
            return 0.0
        return max(0.0, self.newest.time_s - self.snapshot.time_s)

    @property
    def stale(self) -> bool:
        """The numbers no longer describe the dot: nothing has come for a while."""
        return self.link.lost or self.snapshot is None

    @property
    def fluence(self) -> FluenceStep | None:
        """The step in force at the time shown."""
        if self.snapshot is None or not self.snapshot.fluence_steps:
            return None
        return self.snapshot.fluence_steps[-1]


def layout_for(width: int, height: int) -> Layout:
    """The layout for a terminal of so many cells."""
    if width >= 160 and height >= 40:
        return "wide"
    if width >= 60 and height >= 16:
        return "compact"
    if width >= 40 and height >= 12:
        return "numbers"
    return "row" if width >= 40 else "message"
