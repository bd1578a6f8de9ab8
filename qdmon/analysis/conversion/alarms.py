"""How many false alarms are allowed, and when: spent where conversions are expected.

A rate of false alarms is a budget that accrues with time. A rise of the fluence, the usual cause of a
conversion, spends what has accrued since the rise before: part of it at once, as a dot with strong
multi-exciton charging changes with the light, part of it in the seconds that follow, as damage takes its
time. The rest is for other steps and for changes out of the blue.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.results.segment import FluenceStep

__all__ = ["AFTER_RISE_S", "DAY_S", "AlarmBudget"]

FloatArray = NDArray[np.float64]

DAY_S = 86_400.0
# The test uses so much less than its bound, as blinks come one at a time and an alarm needs another type, too
# (measured on blinks drawn from its own prior: tests/benchmarks/alarms.py).
SLACK = 8.0
# Parts of the budget; they add up to 1.
AT_RISE, AFTER_RISE, AT_OTHER_STEP, ANY_TIME = 0.35, 0.35, 0.1, 0.2
AFTER_RISE_S = 8.0
# False alarms allowed at a return to the fluence at which a dot was of another type: it may well be again.
AT_RETURN = 0.01
# A session begins with what a minute brings.
CREDIT_S = 60.0
# Where a change is believed to be, once there is one: at a step or not, and per second elsewhere: what
# had changed long before a step would have been told before it.
BELIEF_AT_STEP, BELIEF_PER_S = 0.5, 1e-8
# Less than this is no change of the fluence.
LEAST_STEP = 0.05


@dataclass(frozen=True, slots=True)
class AlarmBudget:
    """Expected number of false alarms over time.

    Attributes:
        per_s: at any time.
        steps_s: (k,) times of the steps, ascending.
        at_step: (k,) at that instant.
        after_step: (k,) in the seconds behind it, falling off exponentially.
    """

    per_s: float
    steps_s: FloatArray
    at_step: FloatArray
    after_step: FloatArray

    @classmethod
    def of(cls, per_day: float, steps: Sequence[FluenceStep]) -> "AlarmBudget":
        """Share out a rate over the steps seen so far.

        Args:
            per_day: false alarms a day.
            steps: ascending; those to an unknown fluence only precede one to a known.
        """
        rate = SLACK * per_day / DAY_S
        times, at, after = [], [], []
        level: float | None = None
        last_step_s = last_rise_s = -CREDIT_S
        for step in steps:
            now = step.mean_excitation
            if now is None:
                continue
            if level is not None and abs(now - level) > LEAST_STEP * max(now, level):
                rise = now > level
                accrued = rate * (step.start_s - (last_rise_s if rise else last_step_s))
                times.append(step.start_s)
                at.append((AT_RISE if rise else AT_OTHER_STEP) * accrued)
                after.append(AFTER_RISE * accrued if rise else 0.0)
                last_rise_s = step.start_s if rise else last_rise_s
                last_step_s = step.start_s if not rise else last_step_s
            level = now
        return cls(ANY_TIME * rate, np.array(times), np.array(at), np.array(after))

    def causes(self, begin_s: FloatArray, end_s: FloatArray) -> NDArray[np.bool_]:
        """(n,) whether the fluence changed between these times, or rose a few seconds before."""
        after = np.where(self.after_step > 0, AFTER_RISE_S, 0.0)
        return np.asarray(
            ((self.steps_s <= end_s[:, None]) & (self.steps_s + after > begin_s[:, None])).any(axis=1)
        )

    def returning(self) -> "AlarmBudget":
        """The same where the last step led back to the fluence before a conversion."""
        at_step = self.at_step.copy()
        at_step[-1:] = np.maximum(at_step[-1:], AT_RETURN)
        return replace(self, at_step=at_step)

    def belief(self) -> "AlarmBudget":
        """Chances of a change over time as one would put them beforehand, for placing it."""
        return AlarmBudget(
            BELIEF_PER_S,
            self.steps_s,
            np.full(len(self.steps_s), BELIEF_AT_STEP),
            np.where(self.after_step > 0, BELIEF_AT_STEP, 0.0),
        )

    def until(self, time_s: FloatArray) -> FloatArray:
        """(n,) spent up to these times, the parts that steps spend at once left out."""
        since = np.maximum(time_s[:, None] - self.steps_s, 0.0)
        return np.asarray(self.per_s * time_s - np.expm1(-since / AFTER_RISE_S) @ self.after_step)
