"""Is everything all right? One word, one line of why, and the laser's state."""

from dataclasses import dataclass
from typing import Literal

from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.link import LinkState
from qdmon.tui.view.numbers import seconds
from qdmon.tui.view.scene import Scene
from streams.text import clean_text

__all__ = ["Health", "health", "laser_text"]

RECENT_LOSS_S = 10.0
LAG_WARNING_S = 2.0

Level = Literal["ok", "warn", "alert"]


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the whole chain.

    Attributes:
        word: large on the screen.
        reason: one line.
        level: how loud.
        caution: what the numbers lean on that was not measured; "" if nothing.
    """

    word: str
    reason: str
    level: Level
    caution: str = ""

    @property
    def ink(self) -> Ink:
        """Its ink."""
        return {"ok": Ink.OK, "warn": Ink.WARN, "alert": Ink.ALERT}[self.level]

    @property
    def mark(self) -> str:
        """A glyph that says the level without colour."""
        return {"ok": "●", "warn": "▲", "alert": "■"}[self.level]


def laser_text(link: LinkState) -> tuple[str, Ink]:
    """What may be said of the laser; whatever is not certain is to be treated as ON."""
    if link.replay:
        return "laser: recorded, not live", Ink.MUTED
    if link.lost or link.phase in ("loading", "waiting", "ended"):
        return "laser UNKNOWN: assume ON", Ink.ALERT
    if link.laser is None:
        return "laser not reported: assume ON", Ink.WARN
    if link.laser.emission is None:
        return "laser UNKNOWN: assume ON", Ink.ALERT
    interlock = "" if link.laser.interlock_ok is not False else ", interlock open"
    if link.laser.emission:
        return f"laser emission ON{interlock}", Ink.WARN
    return f"laser emission off{interlock}", Ink.MUTED


def health(scene: Scene) -> Health:
    """The most serious thing there is to say, judged on the newest data even while the view is paused."""
    return _link_health(scene.link) or _data_health(scene.newest, scene.link)


def _link_health(link: LinkState) -> Health | None:
    problem = clean_text(link.problem)
    if link.phase == "failed":
        return Health("FAULT", problem or "the analysis stopped", "alert")
    if link.phase == "loading":
        return Health("LOADING", "loading analysis...", "warn")
    if link.phase == "waiting":
        return Health("NO DATA", problem or "waiting for a daemon", "alert")
    if link.phase == "ended":
        return Health("ENDED", problem or "the session is over", "warn")
    if link.lost:
        return Health("NO DATA", f"since {link.silent_s:.0f} s: daemon silent", "alert")
    if problem:
        return Health("CHECK", problem, "warn")
    if link.daemon is not None and link.daemon.state == "fault":
        return Health("FAULT", clean_text(link.daemon.text), "alert")
    if link.recording is not None and link.recording.state == "failed":
        return Health("NO REC", clean_text(link.recording.text), "alert")
    if link.laser is not None and link.laser.emission is None and not link.replay:
        return Health("LASER?", "state unknown: assume ON", "alert")
    return None


def _data_health(snapshot: Snapshot | None, link: LinkState) -> Health:
    if snapshot is None:
        return Health("WAITING", "no photons analysed yet", "warn")
    if snapshot.losses:
        last = snapshot.losses[-1]
        ago = snapshot.time_s - snapshot.acquisition.seconds(last.stop_pulse)
        if ago < RECENT_LOSS_S:
            return Health("LOSS", f"{last.cause.value}, {seconds(snapshot.lost_s)} in all", "alert")
    if link.lag_s is not None and link.lag_s > LAG_WARNING_S:
        return Health("LAG", f"{seconds(link.lag_s)} behind the stream", "warn")
    # A guessed calibration is no fault of the chain; it is said beside the verdict that leans on it.
    caution = "; ".join(clean_text(w) for w in snapshot.calibration.warnings)
    reason = f"{seconds(snapshot.lost_s)} lost earlier" if snapshot.losses else "no loss"
    return Health("OK", reason, "ok", caution)
