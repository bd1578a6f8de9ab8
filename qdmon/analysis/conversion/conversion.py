"""Conversions found so far, the blinks between them, and whether the old type came back."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.both_sides import BothSides
from qdmon.analysis.conversion.regimes import TYPES, Mark, Regime, likely
from qdmon.analysis.conversion.returns import odds_by_blinks, odds_by_law, odds_of_return
from qdmon.analysis.conversion.runs import LOG_FAMILY
from qdmon.analysis.conversion.sequential import Change, find_change
from qdmon.analysis.conversion.step_change import STEP_S
from qdmon.analysis.conversion.type_change import NOTHING_KNOWN, SURE, Known, law_of, leaning_of
from qdmon.analysis.results.blinking import Blinking, BlinkingCall, Conversion
from qdmon.analysis.results.segment import FluenceStep

__all__ = ["ConversionLog"]

# Blinks of a regime that are kept.
MOST_MARKS = 400
# So many conversions back may still prove reversible; the blinks around them are kept for that.
MOST_OPEN = 50
# Steps further back belong to regimes long settled.
MOST_STEPS = 100
# A dot that blinks seldom is not one that stopped before so much light says so.
SURELY_NONE_S = 10.0
# Verdicts that name no way to blink.
NO_WAY = ("undetermined", "none")
# Rows and pulses tell the same time to so much.
SAME_S = 1e-6
# The same <N> is the same to so much.
SAME_FLUENCE = 0.1


class ConversionLog:
    """Takes blinks in order of time.

    Attributes:
        conversions: found so far.
    """

    def __init__(self, false_alarms_per_day: float) -> None:
        self.conversions: list[Conversion] = []
        self._per_day = false_alarms_per_day
        # The last blinks between conversions, and those since, which still grow.
        self._regimes: list[list[Mark]] = [[]]
        # When the first of those since began, also if it is kept no longer.
        self._since_s: float | None = None
        # Log probability of each family of runs, by what came before the present regime.
        self._families = LOG_FAMILY
        # Of each conversion the <N> at which the old type was seen.
        self._seen_at: list[tuple[float | None, ...]] = []
        # Since when a return was seen that was none, and the verdict by which, of each such conversion.
        self._none_since: dict[int, tuple[float, BlinkingCall | None]] = {}
        # Whether the alert on the last conversion left open what the dot became.
        self._open = False
        # Up to here it is known what the present regime is.
        self._settled_s = -np.inf

    @property
    def _marks(self) -> list[Mark]:
        """Blinks of the present regime."""
        return self._regimes[-1]

    def add(self, marks: Sequence[Mark]) -> None:
        """Blinks that have ended."""
        if not marks:
            return
        if self._since_s is None:
            self._since_s = marks[0].start_s
        self._regimes[-1] = [*self._marks, *marks][-MOST_MARKS:]

    def forget_since(self, time_s: float) -> None:
        """The blinks since then will be told anew."""
        self._regimes[-1] = [m for m in self._marks if m.start_s < time_s - SAME_S]
        if self._since_s is not None and self._since_s >= time_s - SAME_S:
            self._since_s = None

    def alarm(
        self,
        going_on: Sequence[Mark],
        steps: Sequence[FluenceStep],
        verdicts: Sequence[BlinkingCall] = (),
        now_s: float | None = None,
        light_since: Callable[[float], BlinkingCall | None] = NOTHING_KNOWN.light_since,
    ) -> Change | None:
        """The change of type that the blinks since the last one show; None while they do not.

        Args:
            going_on: blinks of a dwell that has not ended yet.
            steps: of the fluence, ascending.
            verdicts: on light of the present regime.
            now_s: how far one has looked.
            light_since: see `Known`.
        """
        marks = [*self._marks, *going_on]
        budget = self._budget(steps)
        expected = self._type_before(steps)
        if expected is not None and expected != self.conversions[-1].after:
            budget = budget.returning()
        back_s = steps[-1].start_s if steps else -np.inf
        known = Known(verdicts, expected, back_s, self._families, self._settled_s, light_since)
        change = find_change(marks, budget, known, now_s)
        if change is not None and self._is_told(change):
            self._settled_s = change.seen_s + SAME_S
            return None
        return change

    def _is_told(self, change: Change) -> bool:
        """Whether a change leads to what the last conversion is known to have led to: a law takes a while."""
        return bool(self.conversions) and not self._open and change.after == self.conversions[-1].after

    def both_sides(
        self,
        step_s: float,
        before: BlinkingCall,
        since: Sequence[BlinkingCall],
        own: Sequence[Mark],
        steps: Sequence[FluenceStep],
    ) -> BothSides:
        """What was seen of this regime before and behind the last step of the fluence.

        Args:
            step_s: when it was.
            before: verdict on the light up to it.
            since: verdicts on the light since, as it grew.
            own: blinks since the step, as the last verdict has them.
            steps: of the fluence, ascending.
        """
        expected, budget = self._type_before(steps), self._budget(steps)
        return BothSides(step_s, before, since, self._marks, own, expected, budget)

    def _budget(self, steps: Sequence[FluenceStep]) -> AlarmBudget:
        return AlarmBudget.of(self._per_day, steps[-MOST_STEPS:])

    def _type_before(self, steps: Sequence[FluenceStep]) -> Blinking | None:
        """What the dot was at this fluence before the last conversion, if it is back at it."""
        now = steps[-1].mean_excitation if steps else None
        known = self.conversions and self._was_old_type_at(len(self.conversions) - 1, now)
        return self.conversions[-1].before if known else None

    def _was_old_type_at(self, index: int, mean_excitation: float | None) -> bool:
        """Whether the type before a conversion was seen at this <N>, which is not that of the new type."""
        if _same_fluence(mean_excitation, self.conversions[index].mean_excitation_after):
            return False
        return any(_same_fluence(mean_excitation, level) for level in self._seen_at[index])

    def accept(
        self,
        change: Change,
        conversion: Conversion,
        settled_s: float = -np.inf,
        seen_at: Sequence[float | None] = (),
    ) -> None:
        """The alarm is taken for a conversion: a new regime begins with its blinks.

        Args:
            change: the alarm.
            conversion: what was made of it.
            settled_s: up to when a verdict on all the light has told it.
            seen_at: <N> at which the old type was seen, beside the first.
        """
        self._seen_at.append((conversion.mean_excitation_before, *seen_at))
        self._settled_s = settled_s
        self._open = bool(change.maybe_after)
        self.conversions.append(conversion)
        before = [m for m in self._marks if m.start_s < change.seen_s]
        # A dot that had runs will mostly have them still.
        known = Regime.of(before).families(self._families)
        self._families = np.logaddexp(known, LOG_FAMILY) - np.log(2.0)
        behind = self._marks[change.index :]
        self._regimes[-1:] = [before, behind]
        self._since_s = behind[0].start_s if behind else None
        del self._regimes[: -MOST_OPEN - 1]

    def refine(
        self, call: BlinkingCall, mean_excitation: float | None, *, last_word: bool = False
    ) -> Conversion | None:
        """A verdict on what followed the last conversion, at the same fluence, says what it led to.

        Args:
            call: the verdict.
            mean_excitation: <N> it was made at.
            last_word: no more light of it will follow, so that what the dot did decides; else its law has to
                be sure, which takes more blinks.

        Returns:
            The conversion if this is news: another type than was told, or one that was left open.
        """
        if not self.conversions or call.blinking == "undetermined":
            return None
        last = self.conversions[-1]
        sure = call.probabilities[call.blinking] >= SURE
        if call.blinking == "none" and not (
            sure and last_word and call.stop_s - call.start_s >= SURELY_NONE_S
        ):
            return None
        # Of the types that the alert left open the verdict may exclude the one that was named.
        excluded = self._open and leaning_of(call)[last.after] <= 1 - SURE
        if not sure and not (excluded and last_word):
            return None
        behind = call.start_s >= last.time_s - last.time_error_s - STEP_S
        if not behind or mean_excitation != last.mean_excitation_after:
            return None
        told = call.blinking == last.after and not self._open
        if told or call.blinking == last.before:
            return None
        if not last_word and self._chance_of_law(call) < SURE:
            return None
        self._open = False
        self.conversions[-1] = replace(last, after=call.blinking)
        return self.conversions[-1]

    def _chance_of_law(self, call: BlinkingCall) -> float:
        """That the law behind a verdict is of the type that it names."""
        law = law_of(call, self._marks)
        return float(law[TYPES.index(call.blinking)]) if law is not None and call.blinking in TYPES else 0.0

    def returns(
        self, start_s: float, mean_excitation: float | None, call: BlinkingCall | None = None
    ) -> list[Conversion]:
        """Conversions on which this stretch of the old fluence now has the last word.

        Args:
            start_s: of the stretch.
            mean_excitation: its <N>.
            call: the verdict on it.
        """
        here = _verdict_since(start_s, call)
        told: list[Conversion] = []
        for i in range(max(len(self.conversions) - MOST_OPEN, 0), len(self.conversions)):
            c = self.conversions[i]
            is_return = start_s > c.time_s + STEP_S and self._was_old_type_at(i, mean_excitation)
            if not is_return or self._is_settled(i, start_s, here):
                continue
            back = self._is_back(i, start_s, here)
            if back is False:
                self._none_since[i] = start_s, here
            if back is not None and back != c.reversible:
                self.conversions[i] = replace(c, reversible=back)
                told.append(self.conversions[i])
        return told

    @property
    def last_s(self) -> float:
        """When the last blink ended; minus infinity before any."""
        return self._marks[-1].stop_s if self._marks else float("-inf")

    @property
    def since_s(self) -> float:
        """When the present regime was first seen to blink; 0 before that."""
        return self._since_s or 0.0

    def types_since(self, start_s: float, call: BlinkingCall | None = None) -> tuple[Blinking, ...]:
        """What the dot may be of since then, likeliest first: by a verdict if it is sure, else by blinks.

        Args:
            start_s: of a stretch.
            call: the verdict on it.
        """
        here = _verdict_since(start_s, call)
        if here is None or here.blinking in NO_WAY or here.probabilities[here.blinking] < SURE:
            return likely(Regime.of([m for m in self._marks if m.start_s >= start_s]).types())
        return (here.blinking,)

    def _is_settled(self, index: int, start_s: float, here: BlinkingCall | None) -> bool:
        """Whether it is told if a conversion was reversible.

        That it was not can still be taken back: by a conversion back, or by more light of the same stretch.
        """
        reversible = self.conversions[index].reversible
        if reversible is not False:
            return reversible is True
        since_s, by = self._none_since[index]
        more = here is not None and here is not by and start_s == since_s
        return not more and not self._converted_back(index, start_s)

    def _is_back(self, index: int, start_s: float, call: BlinkingCall | None) -> bool | None:
        """Whether the type before a conversion is back in a stretch; None while that is not told."""
        if self._converted_back(index, start_s):
            return True
        kind = self.conversions[index].before
        now = [m for m in self._marks if m.start_s >= start_s]
        behind = len(self.conversions) - index
        before, after = self._regimes[-behind - 1], self._regimes[-behind]
        if after is self._marks:
            # No conversion since: these blinks were counted with the regime after it.
            after = [m for m in after if m.start_s < start_s]
        by_blinks = odds_by_blinks(before, after, now, kind)
        by_law = odds_by_law(kind, call, before, after, now) if call is not None else None
        odds = odds_of_return(kind, by_blinks, len(now), call, by_law)
        return odds > 0 if odds is not None else None

    def _converted_back(self, index: int, start_s: float) -> bool:
        """Whether the last word since then is a conversion to what the dot was before this one."""
        last = self.conversions[-1]
        since = last.time_s + last.time_error_s + STEP_S >= start_s
        return index < len(self.conversions) - 1 and since and last.after == self.conversions[index].before


def _verdict_since(start_s: float, call: BlinkingCall | None) -> BlinkingCall | None:
    """A verdict if it is on nothing but the light since then."""
    return call if call is not None and call.start_s >= start_s - STEP_S else None


def _same_fluence(a: float | None, b: float | None) -> bool:
    """Whether two <N> are known and the same."""
    return a is not None and b is not None and abs(a - b) <= SAME_FLUENCE * max(a, b)
