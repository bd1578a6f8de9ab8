"""A line for the event list."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Event"]


@dataclass(frozen=True, slots=True)
class Event:
    """A line for the event list.

    `kind` is one of these. Of the dot, each told once for each time it happens, none by a step of the
    fluence alone: "conversion" (it blinks in another way), "type" (what the last conversion led to, where
    the light since then has more to say than the blinks that raised the alert), "reversibility" (whether
    the old way came back with the old fluence), "share" (Auger's share of the loss moved by over 0.3 at a
    step of the fluence, and the type stayed), "bleach" (nothing but background for 10 s), "second emitter"
    (g2(0) of the last 10 s is five errors above 0.5, and was below), "darkness" (a stretch ended in the
    dark, and not for bleaching), "other light" (that is not the dot's), "drift" (the light of a stretch
    drifts by over 5 % at constant lifetime), "blinking stop" (no dim dwell for longer than its dwells
    allow), "intensity loss" (the bright level at the same <N> fell by over 5 % and five errors), "spectrum"
    (the line moved). Of the session: "fluence", "loss" (photons missing), "laser", "marker", "segment",
    "warning".
    """

    time_s: float
    kind: str
    severity: Literal["info", "warning", "alert"]
    text: str
