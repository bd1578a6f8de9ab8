"""The blinking verdict in words: which stretch it is about, how sure it is, why it may be undetermined."""

from dataclasses import dataclass

from qdmon.analysis.results.blinking import BLINKING_TYPES, Blinking, BlinkingCall
from qdmon.analysis.snapshot import Snapshot
from qdmon.tui.render.inks import Ink
from qdmon.tui.view.numbers import percent, plain, probability, with_error
from qdmon.tui.view.scene import Scene
from streams.text import clean_text

__all__ = ["BLINKING_INKS", "BlinkingView", "blinking_view", "primary_call"]

BLINKING_INKS: dict[Blinking, Ink] = {
    "auger": Ink.AUGER,
    "bc": Ink.BC,
    "mixed": Ink.MIXED,
    "hc": Ink.HC,
    "none": Ink.NONE,
    "undetermined": Ink.UNDETERMINED,
}


@dataclass(frozen=True, slots=True)
class BlinkingView:
    """The verdict, ready to draw.

    Attributes:
        blinking: the type.
        chance: its probability in per cent; "" if undetermined.
        stretch: what stretch of the stream it is about.
        reason: why undetermined, or a caveat; "" if none.
        bars: (type, probability 0 to 1, the same as text), every type.
        facts: (name, value with error) pairs.
        states: one line for each emitting state, brightest first.
    """

    blinking: Blinking
    chance: str
    stretch: str
    reason: str
    bars: tuple[tuple[Blinking, float, str], ...]
    facts: tuple[tuple[str, str], ...]
    states: tuple[str, ...]


def primary_call(snapshot: Snapshot) -> tuple[BlinkingCall, str]:
    """The verdict to show large, and what stretch it is about.

    The rolling window says what the dot does now; where it cannot tell, the verdict on the whole stretch at
    this fluence is the better answer.
    """
    window, segment = snapshot.window, snapshot.segment
    if window.blinking == "undetermined" and segment and segment.call.blinking != "undetermined":
        return segment.call, f"{plain(segment.stop_s - segment.start_s, 2)} s at this <N>"
    return window, f"last {plain(window.stop_s - window.start_s, 2)} s"


def blinking_view(scene: Scene) -> BlinkingView:
    """The verdict on what is shown."""
    if scene.snapshot is None:
        return BlinkingView("undetermined", "", "", "no data yet", (), (), ())
    call, stretch = primary_call(scene.snapshot)
    known = call.blinking != "undetermined"
    reason = clean_text(call.reason) if call.reason else "" if known else "no reason given"
    return BlinkingView(
        call.blinking,
        percent(call.probabilities.get(call.blinking)) if known else "",
        stretch,
        reason,
        tuple(
            (t, call.probabilities[t], probability(call.probabilities[t]))
            for t in BLINKING_TYPES
            if t in call.probabilities
        ),
        (
            ("Auger share", with_error(call.auger_share)),
            ("loss", plain(call.loss.value, 2)),
            ("β", with_error(call.radiative_rate_ratio)),
        ),
        tuple(
            f"{with_error(s.intensity_cps, 'kcps', 1e-3)}  {with_error(s.lifetime_ns, 'ns')}"
            for s in call.states
        ),
    )
