"""What else can happen, each told once: a second emitter, other light, drift, no more blinking, less light.

None of them is what a plain step of the fluence does: levels are compared at the same <N>, or scaled with
the light a dot absorbs; g2 within one stretch; blinking with its own rate since the step.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import fields

import numpy as np

from qdmon.analysis.antibunching.pairs import Pairs
from qdmon.analysis.conversion.alarms import DAY_S
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.results.blinking import BlinkingCall
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.intensity import DwellLaw
from qdmon.analysis.results.pair_correlation import G2

__all__ = ["BlinkingStop", "IntensityLoss", "LightDrift", "OtherLight", "SecondEmitter"]

# g2 of so many seconds, renewed so often.
RECENT_S, EVERY_S = 10.0, 2.0
# Standard errors above 0.5: as a chance, once in years of looks.
SIGNIFICANCE = 5.0
# g2 of fewer pairs of pulses says nothing.
FEWEST_PAIRS = 1000
# So many bright dwells tell how long they last; one is too long that is so much longer than any of them.
FEWEST_BLINKS, LONGEST_GAPS = 10, 3.0
# A smaller loss of light is none; bright levels differ by so much anyway; a verdict on so long knows its own.
LEAST_LOSS, LEAST_LOSS_ERROR, LOSS_AGE_S = 0.05, 0.005, 3.0
# A smaller drift is not worth a refocus.
LEAST_DRIFT = 0.05
# Bright levels are compared at one <N>, the same to so much.
SAME_FLUENCE = 0.02


class SecondEmitter:
    """g2(0) of the last seconds rises above 0.5 after the dot was shown to be single."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Pairs]] = deque()
        self._was_single = self._told = False

    def new_stretch(self) -> None:
        """Another stretch counts its own pairs."""
        self._seen.clear()

    def look(
        self,
        time_s: float,
        pairs: Pairs | None,
        g2_of: Callable[[Pairs], G2],
        lit_since: Callable[[float], bool],
    ) -> list[Event]:
        """Compare the pairs counted so far in a stretch with those of some seconds ago.

        Args:
            time_s: now.
            pairs: of the stretch, still counting; None if there are none.
            g2_of: what makes g2 of some pairs.
            lit_since: whether there was light that is no dot's since a time in s.
        """
        if pairs is None or self._told:
            return []
        if self._seen and time_s - self._seen[-1][0] < EVERY_S:
            return []
        copied = Pairs.none() + pairs
        self._seen.append((time_s, copied))
        while len(self._seen) > 2 and time_s - self._seen[1][0] >= RECENT_S:
            self._seen.popleft()
        since_s, earlier = self._seen[0]
        recent = _difference(copied, earlier)
        if recent.lags.sum() < FEWEST_PAIRS:
            return []
        g2 = g2_of(recent)
        self._was_single |= g2.single_emitter is True
        value, error = g2.zero.value, g2.zero.error
        if not self._was_single or value is None or not error or value - SIGNIFICANCE * error < 0.5:
            return []
        if lit_since(since_s):
            return []
        self._told = True
        text = f"second emitter: g2(0) is {value:.2f} ± {error:.2f} in the last {time_s - since_s:.0f} s"
        return [Event(time_s, "second emitter", "alert", text)]


def _difference(later: Pairs, earlier: Pairs) -> Pairs:
    return Pairs(*(getattr(later, f.name) - getattr(earlier, f.name) for f in fields(Pairs)))


class OtherLight:
    """Light that is not the dot's: a lamp that was switched on."""

    def __init__(self) -> None:
        # Up to here it has been told.
        self._told_pulse = -1

    def look(
        self, foreign: list[tuple[int, int]], stop_pulse: int, seconds: Callable[[int], float]
    ) -> list[Event]:
        """Has it come since it was told last?

        Args:
            foreign: pulse intervals in which it was seen, ascending.
            stop_pulse: how far one has looked.
            seconds: what turns pulses into s.
        """
        if not foreign or foreign[-1][0] <= self._told_pulse:
            return []
        first, stop = foreign[-1]
        self._told_pulse = max(stop, stop_pulse)
        start_s, stop_s = seconds(first), seconds(stop)
        text = f"light that is not the dot's from {start_s:.1f} to {stop_s:.1f} s is left out of the verdict"
        return [Event(start_s, "other light", "warning", text)]


class LightDrift:
    """Within one stretch the light that is collected drifts."""

    def __init__(self) -> None:
        self._told = False

    def new_stretch(self) -> None:
        """Another stretch has a drift of its own."""
        self._told = False

    def look(self, span: float, time_s: float) -> list[Event]:
        """Has it become worth telling?

        Args:
            span: from the least to the most light so far, relative.
            time_s: now.
        """
        if self._told or span < LEAST_DRIFT:
            return []
        self._told = True
        text = (
            f"the light drifts by {100 * span:.0f} % at constant lifetime: check focus and laser power "
            "(the verdict takes it into account)"
        )
        return [Event(time_s, "drift", "warning", text)]


class BlinkingStop:
    """No dim dwell for much longer than those of this stretch allow."""

    def __init__(self, false_alarms_per_day: float) -> None:
        self._per_day = false_alarms_per_day
        self._told = False
        self._stops_s: list[float] = []
        self._gaps_s: list[float] = []

    def new_stretch(self) -> None:
        """The fluence changed, and with it the rate of blinking."""
        self._stops_s, self._gaps_s = [], []

    def add(self, marks: list[Mark]) -> None:
        """Blinks that have ended."""
        for mark in marks:
            touches = bool(self._stops_s) and mark.start_s <= self._stops_s[-1]
            if self._stops_s and not touches:
                self._gaps_s.append(max(mark.start_s - self._stops_s[-1], 0.0))
                self._told = False
            self._stops_s = [mark.stop_s]

    def still_dim(self, time_s: float) -> None:
        """A blink that was told in part, for its length, goes on: no bright dwell has begun yet."""
        if self._stops_s:
            self._stops_s = [time_s]

    def look(self, time_s: float, on_law: Callable[[], DwellLaw | None]) -> list[Event]:
        """Is the bright dwell that is going on too long?

        Args:
            time_s: now, the dot being bright.
            on_law: finds the law of the bright dwells, if it is known: a power law allows long ones.
        """
        n = len(self._gaps_s)
        if self._told or n < FEWEST_BLINKS or not self._stops_s:
            return []
        gap_s = time_s - self._stops_s[0]
        if gap_s < LONGEST_GAPS * max(self._gaps_s):
            return []
        total_s = sum(self._gaps_s)
        # Exponential dwells of unknown rate; every dwell is a chance for a false alarm.
        chance = (1 + gap_s / total_s) ** -n
        allowed = self._per_day / DAY_S * total_s / n
        if chance > allowed:
            return []
        law = on_law()
        if law is not None and law.law == "power law" and law.exponent.value is not None:
            chance = (gap_s / law.shortest_s) ** min(1 - law.exponent.value, 0.0)
        if chance > allowed:
            return []
        self._told = True
        text = f"blinking stopped: none for {gap_s:.1f} s, {n / total_s:.2g} per bright second before"
        return [Event(self._stops_s[0], "blinking stop", "warning", text)]


class IntensityLoss:
    """The bright level at one <N> fell by more than 5 %."""

    def __init__(self) -> None:
        self._levels: list[tuple[float | None, Estimate]] = []

    def look(self, call: BlinkingCall, mean_excitation: float | None) -> list[Event]:
        """Compare the bright level of a verdict with the first, or the last reported, at this <N>."""
        if call.blinking == "undetermined" or not call.states or call.stop_s - call.start_s < LOSS_AGE_S:
            return []
        now = call.states[0].intensity_cps
        found = self._index(mean_excitation)
        if found is None or not now.value:
            return []
        before = self._levels[found][1]
        if not before.value:
            return []
        lost = 1 - now.value / before.value
        relative = np.hypot((now.error or 0.0) / now.value, (before.error or 0.0) / before.value)
        error = float(np.hypot((1 - lost) * relative, LEAST_LOSS_ERROR))
        if lost < LEAST_LOSS or lost < SIGNIFICANCE * error:
            return []
        self._levels[found] = mean_excitation, now
        at = f" at <N> = {mean_excitation:g}" if mean_excitation is not None else ""
        text = f"intensity loss: the bright level{at} fell by {100 * lost:.1f} ± {100 * error:.1f} %"
        return [Event(call.stop_s, "intensity loss", "warning", text)]

    def keep(self, call: BlinkingCall, mean_excitation: float | None) -> None:
        """A verdict that is about to be replaced: its bright level is the first at this <N>, if none was."""
        known = call.blinking != "undetermined" and call.states and call.stop_s - call.start_s >= LOSS_AGE_S
        if known and self._index(mean_excitation) is None:
            self._levels.append((mean_excitation, call.states[0].intensity_cps))

    def _index(self, mean_excitation: float | None) -> int | None:
        for i, (level, _) in enumerate(self._levels):
            if mean_excitation == level or (
                mean_excitation is not None
                and level is not None
                and abs(mean_excitation - level) <= SAME_FLUENCE * level
            ):
                return i
        return None
