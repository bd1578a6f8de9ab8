"""What verdicts and blinks saw on either side of a step of the fluence."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.regimes import TYPES, Mark
from qdmon.analysis.conversion.sequential import place_change
from qdmon.analysis.conversion.type_change import law_of, leaning_of, share_of_law
from qdmon.analysis.results.blinking import Blinking, BlinkingCall

__all__ = ["BothSides"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class BothSides:
    """Verdicts, and the blinks that the sequential test has read.

    Attributes:
        step_s: when the fluence changed.
        before: verdict on the light up to it.
        since: verdicts on the light since, as it grew; the last is on all of it.
        marks: blinks of both sides, in order of time.
        own: those since the step as the last verdict has them: it may tell what they are where rows cannot.
        expected: type that the dot had before at this fluence; None where there is none.
        budget: of false alarms, which blinks have to keep to say when it changed.
    """

    step_s: float
    before: BlinkingCall
    since: Sequence[BlinkingCall]
    marks: Sequence[Mark]
    own: Sequence[Mark]
    expected: Blinking | None
    budget: AlarmBudget

    @property
    def behind(self) -> BlinkingCall:
        """On all light since the step."""
        return self.since[-1]

    @property
    def calls(self) -> tuple[BlinkingCall, BlinkingCall]:
        """On all light of either side."""
        return self.before, self.behind

    @property
    def same_type(self) -> bool:
        """Whether they name the same type."""
        return self.before.blinking == self.behind.blinking

    @property
    def seen_s(self) -> float:
        """The lesser of the times seen before and behind."""
        return min(call.stop_s - call.start_s for call in self.calls)

    @property
    def share_tells(self) -> bool:
        """Whether a share that moved is a change: that of a mixed dot moves with the fluence as a rule."""
        return self.before.blinking != "mixed" or self.behind.blinking == self.expected

    @property
    def sure(self) -> float:
        """How sure both verdicts are of what the dot did."""
        return min(leaning_of(call)[call.blinking] for call in self.calls)

    @cached_property
    def laws(self) -> tuple[FloatArray, FloatArray] | None:
        """(3,) chance of each of `TYPES` of the law before and behind; None if either speaks of others."""
        before, behind = (law_of(call, self.marks) for call in self.calls)
        return None if before is None or behind is None else (before, behind)

    @property
    def laws_differ(self) -> float:
        """Chance that both laws are of different types; 0 where one is not known."""
        return float(1 - self.laws[0] @ self.laws[1]) if self.laws is not None else 0.0

    @property
    def sure_of_laws(self) -> float:
        """How sure it is that both dots did what their law makes of them in the long run."""
        if self.laws is None:
            return 0.0
        return min(
            float(law[TYPES.index(call.blinking)]) if call.blinking in TYPES else 0.0
            for law, call in zip(self.laws, self.calls, strict=True)
        )

    @cached_property
    def moved(self) -> tuple[float, float]:
        """How far the share of the law rose from one side to the other, and in errors; 0 where unknown."""
        old, new = (share_of_law(call, self.marks) for call in self.calls)
        if old is None or new is None:
            return 0.0, 0.0
        rise = (new.value or 0.0) - (old.value or 0.0)
        return rise, rise / max(float(np.hypot(old.error or 0.0, new.error or 0.0)), 1e-9)

    @cached_property
    def place(self) -> tuple[float, float] | None:
        """When the law changed by the blinks of both sides, and the error; None if they do not show it."""
        return place_change(self.marks, self.budget)

    @property
    def with_own(self) -> list[Mark]:
        """Blinks of both sides, those since the step as the last verdict has them."""
        return [*(m for m in self.marks if m.start_s < self.step_s), *self.own]
