"""Watches a dot as its light comes: conversions and returns, bleaching, and the verdict of the moment."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from hardware.types import Acquisition
from qdmon.analysis.antibunching.pairs import Pairs
from qdmon.analysis.calibration.background import Floor
from qdmon.analysis.calibration.trust import ASSUMED_ZERO
from qdmon.analysis.conversion.conversion import ConversionLog, conversion_text, refined_text, return_text
from qdmon.analysis.conversion.events import (
    BlinkingStop,
    IntensityLoss,
    SecondEmitter,
    brightness_ratio,
)
from qdmon.analysis.conversion.floors import carried_floor, floor_of
from qdmon.analysis.conversion.reader import BlinkReader
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.row_states import BrightLevel
from qdmon.analysis.conversion.sequential import Change
from qdmon.analysis.darkness import LEAST_LIGHT
from qdmon.analysis.results.blinking import Blinking, BlinkingCall, Conversion
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.results.segment import FluenceStep
from qdmon.analysis.stretch.stretch import Stretch
from qdmon.analysis.switching.charging import ChargingCount

__all__ = ["ConversionWatcher"]

RETURN_S = 5.0
BLEACH_S = 10.0
# A verdict ends with whole bins: a shorter difference is none.
LEAST_DARK_S = 0.5
# A verdict on so many seconds knows the bright level better than what came before it.
LEVEL_AGE_S = 2.0
# Verdicts of earlier stretches that are kept.
MOST_VERDICTS = 10
# A level this far from the one foreseen is believed only after so long.
LEVEL_CHANGE, LEVEL_PATIENCE_S = 0.3, 5.0
# Blinks are read again if the first level was this wrong.
REREAD = 0.1
# And so often in a stretch, if its bright level shows itself late.
MOST_REREADS = 2
SETTLED_S = 60.0
AWAY_S = 0.02
# So long after the last blink its absence has said what it can; meanwhile every few reads suffice.
QUIET_S, READS_IN_QUIET = 5.0, 5


class ConversionWatcher:
    """Blinks of the dot as they come, the conversions found, and the state of the dot.

    Attributes:
        bleached_s: when the dot bleached; None while it has not.
    """

    def __init__(self, acquisition: Acquisition, false_alarms_per_day: float) -> None:
        self._acq = acquisition
        self.bleached_s: float | None = None
        self._log = ConversionLog(false_alarms_per_day)
        self._stops = BlinkingStop(false_alarms_per_day)
        self._emitters = SecondEmitter()
        self._losses = IntensityLoss()
        self._reader: BlinkReader | None = None
        self._bright: tuple[BrightLevel, float | None] | None = None
        # Verdicts on this regime before the present stretch, and on this stretch as it grew.
        self._before: list[BlinkingCall] = []
        self._here: list[BlinkingCall] = []
        # Steps known so far, and what a stretch that is over had still to tell.
        self._steps: Sequence[FluenceStep] = ()
        self._late: list[Event] = []
        # Verdict that has been compared with it.
        self._weighed: BlinkingCall | None = None
        # What lay under the light of the stretch before, and its <N>.
        self._floor_before: tuple[Floor, float | None] = (Floor(0.0, 0.0), None)
        self._charging: list[ChargingCount] = []
        self._reads = self._rereads = 0
        # A blink that has not ended, and the one in which the stretch before ended.
        self._going_on: list[Mark] = []
        self._crossing: Mark | None = None
        # No stretch is over yet.
        self._first = True
        self._lost: list[tuple[int, int]] = []
        # Up to here light that is not the dot's has been told.
        self._lit_pulse = -1

    @property
    def conversions(self) -> list[Conversion]:
        """All found so far."""
        return self._log.conversions

    def watch(
        self,
        stretch: Stretch,
        steps: Sequence[FluenceStep],
        losses: list[tuple[int, int]],
        doubt: str | None,
    ) -> list[Event]:
        """Read the blinks since the last call and see whether the dot has converted or come back."""
        events, self._late = self._late, []
        if self.bleached_s is not None:
            return events
        self._steps, self._lost = steps, losses
        new = self._read(stretch, losses)
        self._log.add(new)
        self._stops.add(new)
        if doubt is not None or not stretch.dot.call.explained:
            return events
        quiet = self._reads % READS_IN_QUIET == 0 and stretch.photons.stop_s < self._log.last_s + QUIET_S
        self._reads += 1
        if new or self._going_on or quiet:
            change = self._log.alarm(self._going_on, steps, self._verdicts(stretch), stretch.photons.stop_s)
            if change is not None:
                events += self._conversion(change, stretch, steps, losses, doubt)
        events += self._step_conversion(stretch, steps, losses, doubt)
        return events + self._returns(stretch)

    def look(
        self,
        stretch: Stretch,
        losses: list[tuple[int, int]],
        g2_of: Callable[[Pairs], G2],
    ) -> list[Event]:
        """Look for what is slower than a blink."""
        events = self._bleaching(stretch, losses)
        if self.bleached_s is not None:
            return events
        pairs = stretch.photons.pairs.pairs if stretch.photons.pairs is not None else None
        events += self._emitters.look(
            stretch.photons.stop_s,
            pairs,
            g2_of,
            lambda since_s: stretch.dot.lit_since(self._acq.pulses(since_s), losses),
        )
        events += self._other_light(stretch)
        events += self._refined(stretch)
        if not self._going_on and self._reader is not None and self._reader.dim:
            self._stops.still_dim(stretch.photons.stop_s)
        elif not self._going_on:
            events += self._stops.look(stretch.photons.stop_s, lambda: stretch.dynamics.on_dwells)
        return events + self._losses.look(stretch.dot.call, stretch.mean_excitation)

    def _other_light(self, stretch: Stretch) -> list[Event]:
        """A lamp that was switched on, told once."""
        foreign = stretch.dot.foreign
        if not foreign or foreign[-1][0] <= self._lit_pulse:
            return []
        first, stop = foreign[-1]
        self._lit_pulse = max(stop, stretch.photons.stop_pulse)
        start_s, stop_s = self._acq.seconds(first), self._acq.seconds(stop)
        text = f"light that is not the dot's from {start_s:.1f} to {stop_s:.1f} s is left out of the verdict"
        return [Event(start_s, "other light", "warning", text)]

    def last_words(self, stretch: Stretch) -> list[Event]:
        """What is left to say of a stretch when it ends, whether another follows or not.

        Args:
            stretch: with the verdict on all its light.
        """
        return self._refined(stretch, last_word=True) + self._left_out(stretch)

    def _refined(self, stretch: Stretch, *, last_word: bool = False) -> list[Event]:
        """What the first blinks left open, or told wrong, the light that followed a conversion may know.

        Args:
            stretch: with the verdict on that light.
            last_word: it has no more to come.
        """
        call = stretch.dot.call
        found = self._log.refine(call, stretch.mean_excitation, last_word=last_word)
        return [Event(call.stop_s, "type", "info", refined_text(found, call))] if found is not None else []

    def _left_out(self, stretch: Stretch) -> list[Event]:
        """That a stretch which is over ended in the dark, where nothing says that the dot bleached."""
        call, stop_s = stretch.dot.call, stretch.photons.stop_s
        dark_s = stop_s - call.stop_s
        if self.bleached_s is not None or not call.states or dark_s < LEAST_DARK_S:
            return []
        text = f"nothing but background for the last {dark_s:.1f} s, left out of the verdict"
        return [Event(call.stop_s, "darkness", "info", text)]

    def stretch_over(self, stretch: Stretch) -> None:
        """Keep what a finished stretch says of the dot for comparison with the next."""
        self._learn_level(stretch)
        if self._reader is None and self._first and self.bleached_s is None:
            # All its light has shown another bright level.
            self._log.add(self._read(stretch, self._lost))
        self._first = False
        if self.bleached_s is None:
            self._late += self._step_conversion(stretch, self._steps, [], None)
        if stretch.dot.call.states:
            self._before = [*self._before, stretch.dot.call][-MOST_VERDICTS:]
        self._late += self.last_words(stretch)
        self._losses.keep(stretch.dot.call, stretch.mean_excitation)
        if self.bleached_s is None:
            self._log.add(self._going_on)
        if stretch.background.origin != ASSUMED_ZERO:
            self._floor_before = _own_floor(stretch), stretch.mean_excitation
        self._here = []
        self._reader, self._crossing, self._going_on = None, next(reversed(self._going_on), None), []
        self._rereads = 0
        self._stops.new_stretch()
        self._emitters.new_stretch()
        self._charging = self.charging_counts(stretch)

    def charging_counts(self, stretch: Stretch | None) -> list[ChargingCount]:
        """Charging events of all stretches, this one included, as long as the dot is what it was at first.

        A dot that converted charges by another law: its rates say nothing about the growth with <N>.
        """
        if stretch is None or self.conversions:
            return self._charging
        count = stretch.charging()[1]
        return self._charging + ([count] if count is not None else [])

    def _read(self, stretch: Stretch, losses: list[tuple[int, int]]) -> list[Mark]:
        self._learn_level(stretch)
        if self._bright is None:
            return []
        table, axis = stretch.photons.table, stretch.photons.axis
        if table is None or axis is None:
            return []
        if self._reader is None:
            self._reader = BlinkReader(stretch.photons.first_pulse, self._crossing)
        here = _foreseen(self._bright, stretch)
        floor = self._floor(stretch)
        bins = replace(axis.bins, delayed=floor.delayed)
        row_s = self._acq.seconds(table.pulses_per_row)
        told = table, bins, here, floor, losses, row_s
        new, self._going_on = self._reader.read(*told)
        if self._reader.misread and self._rereads < MOST_REREADS:
            self._rereads += 1
            since = max(stretch.dot.since_pulse, stretch.photons.first_pulse)
            crossing = self._crossing if since == stretch.photons.first_pulse else None
            self._reader = BlinkReader(since, crossing, self._reader.level)
            self._log.forget_since(self._acq.seconds(since))
            self._stops.new_stretch()
            new, self._going_on = self._reader.read(*told)
        return new

    def _floor(self, stretch: Stretch) -> Floor:
        """What lies under the light: of the first rows, or the stretch before, until this one has its own."""
        if stretch.background.origin != ASSUMED_ZERO:
            return _own_floor(stretch)
        found = None
        table, axis = stretch.photons.table, stretch.photons.axis
        if table is not None and axis is not None:
            found = floor_of(table.rows, self._acq.seconds(table.pulses_per_row), axis.bins)
        return found if found is not None else carried_floor(*self._floor_before, stretch.mean_excitation)

    def _learn_level(self, stretch: Stretch) -> None:
        """The bright level of the stretch's verdict, once that has seen enough."""
        call = stretch.dot.call
        age_s = call.stop_s - call.start_s
        if not call.states or (self._bright is not None and age_s < LEVEL_AGE_S):
            return
        cps, tau = call.states[0].intensity_cps.value, call.states[0].lifetime_ns.value
        if not cps or not tau:
            return
        now = BrightLevel(cps, tau)
        if self._bright is not None:
            foreseen = _foreseen(self._bright, stretch)
            change = 0.0
            if foreseen.cps > 0:
                change = max(abs(cps / foreseen.cps - 1), abs(tau / foreseen.lifetime_ns - 1))
            # The rows themselves have shown the level in use, or the verdict is none.
            contradicted = not self._first and self._reader is not None and self._reader.level.seen
            unsure = age_s < LEVEL_PATIENCE_S or call.blinking == "undetermined" or contradicted
            if change > LEVEL_CHANGE and unsure:
                return
            if change > REREAD and not self.conversions and self._first and age_s < SETTLED_S:
                self._reader = None
                self._log.forget_since(stretch.photons.start_s)
                self._stops.new_stretch()
        self._bright = now, stretch.mean_excitation

    def _conversion(
        self,
        change: Change,
        stretch: Stretch,
        steps: Sequence[FluenceStep],
        losses: list[tuple[int, int]],
        doubt: str | None,
        settled_s: float = -np.inf,
        since_s: float | None = None,
    ) -> list[Event]:
        cut = self._acq.pulses(change.time_s)
        inside = cut > stretch.dot.since_pulse + 1
        # Either type belongs to the fluence it was first seen at; a return is compared with that of the old.
        found = Conversion(
            change.time_s,
            change.error_s,
            change.before,
            change.after,
            _excitation_at(steps, self._log.since_s if since_s is None else since_s),
            _excitation_at(steps, change.seen_s + AWAY_S),
            change.probability,
            None,
        )
        # The regime ends here, but the stretch goes on: what it leaves out is not yet known.
        last = self._refined(stretch, last_word=True)
        self._log.accept(change, found, settled_s)
        self._before, self._here = [], []
        self._losses.keep(stretch.dot.call, stretch.mean_excitation)
        if inside:
            stretch.dot.restart_at(cut, losses, doubt)
        text = conversion_text(found, change.maybe_before, change.maybe_after)
        return [*last, Event(change.time_s, "conversion", "alert", text)]

    def _step_conversion(
        self,
        stretch: Stretch,
        steps: Sequence[FluenceStep],
        losses: list[tuple[int, int]],
        doubt: str | None,
    ) -> list[Event]:
        """What the blinks left open, the verdicts on both sides of a step may know."""
        if not self._before or stretch.dot.call is self._weighed:
            return []
        self._weighed = stretch.dot.call
        change = self._log.step_change(self._before[-1], stretch.dot.call, stretch.photons.start_s)
        if change is None:
            return []
        since_s = _since(self._before, change.before)
        return self._conversion(change, stretch, steps, losses, doubt, stretch.dot.call.stop_s, since_s)

    def _verdicts(self, stretch: Stretch) -> list[BlinkingCall]:
        """On the light of this regime."""
        if not self._here or self._here[-1] is not stretch.dot.call:
            self._here = [*self._here, stretch.dot.call][-MOST_VERDICTS:]
        return [*self._before, *self._here]

    def _returns(self, stretch: Stretch) -> list[Event]:
        """Does the dot blink as before now that the old fluence is back, or as after the conversion?"""
        if stretch.photons.stop_s - stretch.photons.start_s < RETURN_S:
            return []
        events = []
        for c in self._log.returns(stretch.photons.start_s, stretch.mean_excitation, stretch.dot.call):
            now = self._log.types_since(stretch.photons.start_s, stretch.dot.call)
            text = return_text(c, now, stretch.mean_excitation)
            events.append(Event(stretch.photons.stop_s, "reversibility", "alert", text))
        return events

    def _bleaching(self, stretch: Stretch, losses: list[tuple[int, int]]) -> list[Event]:
        """The bright level is gone and only background is left for a long time."""
        if self.bleached_s is not None or self._bright is None:
            return []
        expected_cps = _foreseen(self._bright, stretch).cps
        if expected_cps <= 0:
            return []
        dark_s = stretch.dark_tail_s(LEAST_LIGHT * expected_cps, BLEACH_S + 1, losses)
        if dark_s < BLEACH_S:
            return []
        self.bleached_s = stretch.photons.stop_s - dark_s
        stretch.dot.freeze_before(self._acq.pulses(self.bleached_s))
        text = f"bleached: nothing but background for {dark_s:.0f} s"
        return [Event(self.bleached_s, "bleach", "alert", text)]


def _foreseen(known: tuple[BrightLevel, float | None], stretch: Stretch) -> BrightLevel:
    """The bright level known at some <N>, at that of a stretch."""
    level, excitation = known
    return replace(level, cps=level.cps * brightness_ratio(stretch.mean_excitation, excitation))


def _own_floor(stretch: Stretch) -> Floor:
    """What a stretch found under its own light."""
    own = stretch.background
    error = own.settled.background.error if own.settled is not None else None
    return Floor(own.cps, own.delayed, error or 0.0)


def _since(calls: Sequence[BlinkingCall], kind: Blinking) -> float:
    """When the last verdicts, all of this type, began."""
    same = takewhile(lambda call: call.blinking == kind, reversed(calls))
    return min((call.start_s for call in same), default=calls[-1].start_s)


def _excitation_at(steps: Sequence[FluenceStep], time_s: float) -> float | None:
    """<N> at a time; while it changes, the next known."""
    at = bisect_right(steps, time_s, key=lambda step: step.start_s)
    here = steps[at - 1].mean_excitation if at else None
    if here is None and at and at < len(steps):
        return steps[at].mean_excitation
    return here
