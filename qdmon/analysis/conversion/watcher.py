"""Watches a dot as its light comes: conversions and returns, bleaching, and what else happens to it."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from hardware.types import Acquisition
from qdmon.analysis.antibunching.pairs import Pairs
from qdmon.analysis.conversion.both_sides import BothSides
from qdmon.analysis.conversion.conversion import ConversionLog
from qdmon.analysis.conversion.dot_reader import DotReader, NewBlinks
from qdmon.analysis.conversion.events import (
    BlinkingStop,
    IntensityLoss,
    LightDrift,
    OtherLight,
    SecondEmitter,
)
from qdmon.analysis.conversion.sequential import Change
from qdmon.analysis.conversion.step_change import STEP_S, share_moved, step_change
from qdmon.analysis.conversion.texts import conversion_text, refined_text, return_text, share_text
from qdmon.analysis.conversion.type_change import AWAY_S, SURE_MIXED_S
from qdmon.analysis.conversion.verdicts import RegimeVerdicts, verdict_marks
from qdmon.analysis.darkness import LEAST_LIGHT
from qdmon.analysis.results.blinking import BlinkingCall, Conversion
from qdmon.analysis.results.event import Event
from qdmon.analysis.results.pair_correlation import G2
from qdmon.analysis.results.segment import FluenceStep
from qdmon.analysis.stretch.stretch import Stretch
from qdmon.analysis.switching.charging import ChargingCount

__all__ = ["ConversionWatcher"]

# A return is judged so long after it at the earliest.
RETURN_S = 5.0
# Nothing but background for so long is bleaching; further back nobody looks for its beginning.
BLEACH_S, LONGEST_DARK_S = 10.0, 11.0
# A verdict ends with whole bins: a shorter difference is none.
LEAST_DARK_S = 0.5
# A verdict on what followed a change leaves so many of its errors in time out.
SURELY = 2.0
# A verdict that was asked for is renewed once its light has grown by so much.
ASKED_GROWTH = 1.15
# So long after the last blink its absence has said what it can; meanwhile every few reads suffice.
SILENCE_S, READS_IN_SILENCE = 5.0, 5


class ConversionWatcher:
    """Makes conversions of the blinks and verdicts of a dot, and tells what else happens to it.

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
        self._other_light = OtherLight()
        self._drift = LightDrift()
        self._reader = DotReader(acquisition)
        self._verdicts = RegimeVerdicts()
        # The last one that was compared with that on the stretch before.
        self._weighed: BlinkingCall | None = None
        # What a stretch that is over had still to tell.
        self._late: list[Event] = []
        self._charging: list[ChargingCount] = []
        self._reads = 0
        # The last verdict that was asked for: on the light since a blink, and up to when.
        self._asked: tuple[float, float, BlinkingCall | None] = (np.nan, np.nan, None)
        # Whether it is told that the share moved at the step with which the stretch began.
        self._share_told = False

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
        new = self._reader.read(stretch, losses, converted=bool(self.conversions))
        self._take(new)
        self._stops.add(new.ended)
        if doubt is not None or not stretch.dot.call.explained:
            return events
        silence = (
            self._reads % READS_IN_SILENCE == 0 and stretch.photons.stop_s < self._log.last_s + SILENCE_S
        )
        self._reads += 1
        if new.ended or new.going_on or silence:
            verdicts = self._verdicts.known(stretch.dot.call)
            now_s = stretch.photons.stop_s
            since = partial(self._light_since, stretch, losses)
            change = self._log.alarm(new.going_on, steps, verdicts, now_s, since)
            if change is not None:
                events += self._conversion(change, stretch, steps)
                self._begin_anew(stretch, change, losses)
        events += self._step_conversion(stretch, steps, losses)
        return events + self._returns(stretch)

    def _light_since(
        self, stretch: Stretch, losses: list[tuple[int, int]], time_s: float
    ) -> BlinkingCall | None:
        """Verdict on the light of a stretch since a time, renewed as it grows; None on too little."""
        now_s = stretch.photons.stop_s
        if now_s - time_s < SURE_MIXED_S:
            return None
        asked_s, until_s, _ = self._asked
        if asked_s != time_s or now_s - time_s > ASKED_GROWTH * (until_s - time_s):
            self._asked = time_s, now_s, stretch.dot.since(time_s, losses)
        return self._asked[2]

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
        events += self._other_light.look(stretch.dot.foreign, stretch.photons.stop_pulse, self._acq.seconds)
        if stretch.dot.drift is not None:
            events += self._drift.look(stretch.dot.drift.span, stretch.photons.stop_s)
        events += self._refined(stretch)
        if not self._reader.going_on:
            events += self._no_blinks(stretch)
        return events + self._losses.look(stretch.dot.call, stretch.mean_excitation)

    def _no_blinks(self, stretch: Stretch) -> list[Event]:
        """A bright dwell that lasts too long; one that is dim for too long to be held open is none."""
        if self._reader.dim:
            self._stops.still_dim(stretch.photons.stop_s)
            return []
        return self._stops.look(stretch.photons.stop_s, lambda: stretch.dynamics.on_dwells)

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

    def stretch_over(
        self, stretch: Stretch, steps: Sequence[FluenceStep], losses: list[tuple[int, int]]
    ) -> None:
        """Keep what a finished stretch says of the dot for comparison with the next."""
        bleached = self.bleached_s is not None
        last = self._reader.close(stretch, losses, converted=bool(self.conversions), bleached=bleached)
        self._take(last)
        if not bleached:
            self._late += self._step_conversion(stretch, steps, losses)
        self._verdicts.stretch_over(stretch.dot.call)
        self._late += self.last_words(stretch)
        self._losses.keep(stretch.dot.call, stretch.mean_excitation)
        if not bleached:
            self._log.add(last.going_on)
        self._stops.new_stretch()
        self._emitters.new_stretch()
        self._drift.new_stretch()
        self._share_told = False
        self._charging = self.charging_counts(stretch)

    def proven(self, waiting: BlinkingCall, call: BlinkingCall) -> None:
        """What a verdict on a stretch that is over says, now that nothing it waited for is missing.

        Args:
            waiting: as it was when the stretch was over.
            call: as it is now.
        """
        self._verdicts.revise(waiting, call)
        self._weighed = None

    def charging_counts(self, stretch: Stretch | None) -> list[ChargingCount]:
        """Charging events of all stretches, this one included, as long as the dot is what it was at first.

        A dot that converted charges by another law: its rates say nothing about the growth with <N>.
        """
        if stretch is None or self.conversions:
            return self._charging
        count = stretch.charging()[1]
        return self._charging + ([count] if count is not None else [])

    def _take(self, new: NewBlinks) -> None:
        """Blinks that have ended, some of them for others that were told of the same time."""
        if new.anew_s is not None:
            self._log.forget_since(new.anew_s)
            self._stops.new_stretch()
        self._log.add(new.ended)

    def _conversion(
        self,
        change: Change,
        stretch: Stretch,
        steps: Sequence[FluenceStep],
        *,
        since_s: float | None = None,
        settled_s: float = -np.inf,
    ) -> list[Event]:
        """A change of type is taken for a conversion: a new regime begins.

        Args:
            change: of type.
            stretch: it was found in.
            steps: of the fluence, ascending.
            since_s: when the old type was first seen; with the first blink of the regime if not given.
            settled_s: up to when a verdict on all the light has told it.
        """
        began_s = self._log.since_s if since_s is None else since_s
        # The old type belongs to the fluence it was first seen at.
        found = Conversion(
            time_s=change.time_s,
            time_error_s=change.error_s,
            before=change.before,
            after=change.after,
            mean_excitation_before=_excitation_at(steps, began_s),
            mean_excitation_after=_excitation_at(steps, _surely_behind_s(change) + AWAY_S),
            probability=change.probability,
            reversible=None,
        )
        # The regime ends here, but the stretch goes on: what it leaves out is not yet known.
        last = self._refined(stretch, last_word=True)
        seen_at = [step.mean_excitation for step in steps if began_s <= step.start_s < change.time_s - STEP_S]
        self._log.accept(change, found, settled_s, seen_at)
        self._verdicts = RegimeVerdicts()
        self._losses.keep(stretch.dot.call, stretch.mean_excitation)
        text = conversion_text(found, change.maybe_before, change.maybe_after)
        return [*last, Event(change.time_s, "conversion", "alert", text)]

    def _begin_anew(self, stretch: Stretch, change: Change, losses: list[tuple[int, int]]) -> None:
        """The verdict on a stretch rests on what follows a conversion in it."""
        cut = self._acq.pulses(_surely_behind_s(change))
        if cut > stretch.dot.since_pulse + 1:
            stretch.dot.restart_at(cut, losses, None)

    def _step_conversion(
        self, stretch: Stretch, steps: Sequence[FluenceStep], losses: list[tuple[int, int]]
    ) -> list[Event]:
        """What the blinks left open, the verdicts on both sides of the step it began with may know."""
        before, call = self._verdicts.before, stretch.dot.call
        if before is None or call is self._weighed:
            return []
        self._weighed = call
        since = self._verdicts.here(call)
        sides = self._log.both_sides(
            stretch.photons.start_s, before, since, verdict_marks(stretch.dot), steps
        )
        change = step_change(sides)
        if change is None:
            return self._share_moved(sides)
        since_s = self._verdicts.first_seen_s(change.before)
        told = self._conversion(change, stretch, steps, since_s=since_s, settled_s=call.stop_s)
        if change.time_s > stretch.photons.start_s:
            self._begin_anew(stretch, change, losses)
        return told

    def _share_moved(self, sides: BothSides) -> list[Event]:
        """No change of type, but one of how much is Auger's; told once a stretch."""
        if self._share_told or not share_moved(sides):
            return []
        self._share_told = True
        return [Event(sides.step_s, "share", "warning", share_text(sides.before, sides.behind))]

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
        expected_cps = self._reader.bright_cps(stretch)
        if self.bleached_s is not None or expected_cps is None or expected_cps <= 0:
            return []
        dark_s = stretch.dark_tail_s(LEAST_LIGHT * expected_cps, LONGEST_DARK_S, losses)
        if dark_s < BLEACH_S:
            return []
        self.bleached_s = stretch.photons.stop_s - dark_s
        stretch.dot.freeze_before(self._acq.pulses(self.bleached_s))
        text = f"bleached: nothing but background for {dark_s:.0f} s"
        return [Event(self.bleached_s, "bleach", "alert", text)]


def _surely_behind_s(change: Change) -> float:
    """From when on there is nothing but light of the new type: a little of the old one may make it mixed."""
    return max(change.time_s, min(change.time_s + SURELY * change.error_s, change.seen_s))


def _excitation_at(steps: Sequence[FluenceStep], time_s: float) -> float | None:
    """<N> at a time; while it changes, the next known."""
    at = bisect_right(steps, time_s, key=lambda step: step.start_s)
    here = steps[at - 1].mean_excitation if at else None
    if here is None and at and at < len(steps):
        return steps[at].mean_excitation
    return here
