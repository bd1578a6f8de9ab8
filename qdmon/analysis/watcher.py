"""Watches the verdicts as they come: conversions, whether they come back, and bleaching."""

from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from hardware.types import Acquisition
from qdmon.analysis.charging import ChargingCount
from qdmon.analysis.conversion import (
    FEWEST_BEFORE,
    Split,
    TimedBlink,
    find_split,
    log_evidence,
    share_counts,
)
from qdmon.analysis.snapshot import BlinkingCall, Conversion, Event
from qdmon.analysis.stretch import Stretch
from qdmon.analysis.verdict import likeliest, undetermined

__all__ = ["ConversionWatcher"]

# Log evidence for a change in the sequence of blinks before the verdict is asked.
LEAST_EVIDENCE = 5.0
LEAST_PROBABILITY = 0.998
# Shares closer than this are the same kind of dot, whatever side of a border they fall on.
LEAST_DISTANCE = 0.1
RETURN_S = 5.0
# Log odds at which a return is called one or the other: twenty to one.
LEAST_ODDS = 3.0
BLEACH_S = 10.0
MOST_BLINKS = 400


class ConversionWatcher:
    """Blinks of the present regime, the conversions found, and the state of the dot.

    Attributes:
        window: the latest verdict on the rolling window.
        conversions: all found so far.
        bleached_s: when the dot bleached; None while it has not.
    """

    def __init__(self, acquisition: Acquisition) -> None:
        self._acq = acquisition
        self.window: BlinkingCall = undetermined(0.0, 0.0, "no photons analysed yet")
        self.conversions: list[Conversion] = []
        self.bleached_s: float | None = None
        # Blinks of the stretch before and of this one, each since its last conversion.
        self._earlier: list[TimedBlink] = []
        self._blinks: list[TimedBlink] = []
        # Auger blinks and all blinks between conversions.
        self._regimes: list[tuple[float, float]] = [(0.0, 0.0)]
        self._next_try = 0
        self._before: BlinkingCall | None = None
        self._before_excitation: float | None = None
        self._charging: list[ChargingCount] = []
        self._bright: tuple[float, float | None] | None = None

    def look(self, stretch: Stretch, losses: list[tuple[int, int]], doubt: str | None) -> list[Event]:
        """Renew the window's verdict and see whether the dot has converted, come back, or bleached."""
        events = self._bleaching(stretch, losses)
        if self.bleached_s is not None:
            self.window = undetermined(self.bleached_s, stretch.stop_s, "bleached")
            return events
        seen = stretch.look(losses, doubt)
        if seen is None:
            self.window = undetermined(stretch.start_s, stretch.stop_s, doubt or "too few photons yet")
            return events
        self.window, new = seen
        self._blinks = (self._blinks + new)[-MOST_BLINKS:]
        self._regimes[-1] = _plus(self._regimes[-1], share_counts(new), 1)
        if new:
            events += self._conversion(stretch, losses, doubt)
        return events + self._returns(stretch)

    def stretch_over(self, stretch: Stretch) -> None:
        """Keep what a finished stretch says of the dot for comparison with the next."""
        if stretch.call.states:
            self._before, self._before_excitation = stretch.call, stretch.mean_excitation
        if self._blinks:
            self._earlier, self._blinks = self._blinks, []
            self._next_try = 0
        self._charging = self.charging_counts(stretch)

    def charging_counts(self, stretch: Stretch | None) -> list[ChargingCount]:
        """Charging events of all stretches, this one included, as long as the dot is what it was at first.

        A dot that converted charges by another law: its rates say nothing about the growth with <N>.
        """
        if stretch is None or self.conversions:
            return self._charging
        count = stretch.charging()[1]
        return self._charging + ([count] if count is not None else [])

    def _conversion(self, stretch: Stretch, losses: list[tuple[int, int]], doubt: str | None) -> list[Event]:
        blinks = self._earlier + self._blinks
        if len(self._blinks) < self._next_try or doubt is not None:
            return []
        split = find_split(blinks, len(self._earlier))
        if split is None or split.log_evidence < LEAST_EVIDENCE:
            return []
        # Asking for verdicts is dear: if they do not confirm, wait for more blinks to ask again.
        self._next_try = len(self._blinks) + 1 + len(self._blinks) // 10
        cut = max(self._acq.pulses(split.latest_s), stretch.since_pulse)
        after = stretch.call_between(cut, stretch.stop_pulse, losses, doubt)
        before = self._call_before(split, stretch, losses, doubt)
        if before is None or after is None or after.blinking in ("undetermined", "none"):
            return []
        was = likeliest(before.probabilities)
        changed = _probability_of_change(before, after)
        if was in ("none", after.blinking) or changed < LEAST_PROBABILITY:
            return []
        # The old type belongs to the fluence it was found at, which a return is compared with.
        excitation = stretch.mean_excitation
        if self._before is not None and likeliest(self._before.probabilities) == was:
            excitation = self._before_excitation
        time_s, error_s = self._time_of(split, stretch)
        found = Conversion(
            time_s, error_s, was, after.blinking, excitation, stretch.mean_excitation, changed, None
        )
        self.conversions.append(found)
        self._earlier, self._blinks = [], blinks[split.index :]
        moved = share_counts(self._blinks)
        self._regimes[-1:] = [_plus(self._regimes[-1], moved, -1), moved]
        self._next_try = 0
        self._before, self._before_excitation = after, stretch.mean_excitation
        stretch.restart_at(cut, losses, doubt)
        return [Event(time_s, "conversion", "alert", _conversion_text(found))]

    def _call_before(
        self, split: Split, stretch: Stretch, losses: list[tuple[int, int]], doubt: str | None
    ) -> BlinkingCall | None:
        """Verdict on what came before the split: in this stretch if it holds enough of it."""
        cut = self._acq.pulses(split.earliest_s)
        here = split.index - len(self._earlier)
        if here >= FEWEST_BEFORE and cut > stretch.since_pulse:
            call = stretch.call_between(stretch.since_pulse, cut, losses, doubt)
            if call is not None and call.blinking != "undetermined":
                return call
        return self._before

    def _time_of(self, split: Split, stretch: Stretch) -> tuple[float, float]:
        """A step of the fluence between the last old and the first new blink is when it happened."""
        if split.earliest_s <= stretch.start_s <= split.latest_s and stretch.first_pulse > 0:
            return stretch.start_s, 0.34 * (split.latest_s - stretch.start_s) + 0.01
        return split.time_s, split.time_error_s

    def _returns(self, stretch: Stretch) -> list[Event]:
        """Does the dot blink as before now that the old fluence is back, or as after the conversion?"""
        if stretch.stop_s - stretch.start_s < RETURN_S:
            return []
        events = []
        for i, c in enumerate(self.conversions):
            if c.reversible is not None or stretch.start_s <= c.time_s + 0.05:
                continue
            if not _same_fluence(stretch.mean_excitation, c.mean_excitation_before):
                continue
            if _same_fluence(c.mean_excitation_after, c.mean_excitation_before):
                continue
            odds = self._odds_of_return(i)
            if abs(odds) < LEAST_ODDS:
                continue
            back = odds > 0
            self.conversions[i] = replace(c, reversible=back)
            verdict = (
                f"reversible: it is {c.before} again" if back else f"irreversible: it is still {c.after}"
            )
            text = f"{c.before} -> {c.after} is {verdict} at <N> = {stretch.mean_excitation:g}"
            events.append(Event(stretch.stop_s, "reversibility", "alert", text))
        return events

    def _odds_of_return(self, index: int) -> float:
        """Log odds that this stretch's blinks are of the regime before a conversion, not of that after."""
        now = share_counts(self._blinks)
        before, after = self._regimes[index], self._regimes[index + 1]
        if index + 2 == len(self._regimes):
            # No conversion since: these blinks were counted with the regime after it.
            after = _plus(after, now, -1)
        return float(
            log_evidence(*_plus(before, now, 1))
            + log_evidence(*after)
            - log_evidence(*before)
            - log_evidence(*_plus(after, now, 1))
        )

    def _bleaching(self, stretch: Stretch, losses: list[tuple[int, int]]) -> list[Event]:
        """The bright level is gone and only background is left for a long time."""
        if stretch.call.states and stretch.call.states[0].intensity_cps.value:
            self._bright = stretch.call.states[0].intensity_cps.value, stretch.mean_excitation
        if self.bleached_s is not None or self._bright is None:
            return []
        level, excitation = self._bright
        expected_cps = level * _brightness_ratio(stretch.mean_excitation, excitation)
        if expected_cps <= 0:
            return []
        dark_s = stretch.dark_tail_s(0.03 * expected_cps, BLEACH_S + 1, losses)
        if dark_s < BLEACH_S:
            return []
        self.bleached_s = stretch.stop_s - dark_s
        stretch.freeze_before(self._acq.pulses(self.bleached_s))
        text = f"bleached: nothing but background for {dark_s:.0f} s"
        return [Event(self.bleached_s, "bleach", "alert", text)]


def _probability_of_change(before: BlinkingCall, after: BlinkingCall) -> float:
    """That the Auger share is another one; by type where a share does not describe the dot."""
    old, new = before.auger_share, after.auger_share
    if old.value is None or new.value is None or old.error is None or new.error is None:
        return 1 - sum(p * after.probabilities[t] for t, p in before.probabilities.items())
    distance = abs(new.value - old.value)
    if distance < LEAST_DISTANCE:
        return 0.0
    return float(2 * ndtr(distance / np.hypot(old.error, new.error)) - 1)


def _plus(a: tuple[float, float], b: tuple[float, float], sign: int) -> tuple[float, float]:
    return a[0] + sign * b[0], a[1] + sign * b[1]


def _brightness_ratio(now: float | None, then: float | None) -> float:
    """Light of a dot at one <N> over that at another, 1 - exp(-<N>) each; 1 where one is unknown."""
    if now is None or not then:
        return 1.0
    return float(np.expm1(-now) / np.expm1(-then))


def _same_fluence(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None and abs(a - b) <= 0.1 * max(a, b)


def _conversion_text(c: Conversion) -> str:
    fluence = ""
    if c.mean_excitation_after is not None:
        fluence = f" at <N> = {c.mean_excitation_after:g}"
        if c.mean_excitation_before is not None and c.mean_excitation_before != c.mean_excitation_after:
            fluence = f" as <N> went {c.mean_excitation_before:g} -> {c.mean_excitation_after:g}"
    return f"{c.before} -> {c.after} at {c.time_s:.1f} s{fluence} (p {c.probability:.2f})"
