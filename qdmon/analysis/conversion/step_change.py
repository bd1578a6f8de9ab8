"""Have the verdicts on both sides of a step of the fluence seen a dot of two types?

Blinks decide sooner (`sequential`), but what they cannot settle, the light lost in many seconds can. Where it
changed blinks may know all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.regimes import TYPES, Mark, Regime, likely
from qdmon.analysis.conversion.sequential import LEAST_CERTAINTY, Change, place_change
from qdmon.analysis.conversion.type_change import SURE, law_of, leaning_of, share_of_law
from qdmon.analysis.results.blinking import Blinking, BlinkingCall

__all__ = ["STEP_S", "BothSides", "share_moved", "step_change"]

# Verdicts on both sides of a step are a conversion if each is on so much light, and as sure of its law.
LEAST_STEP_S, SURE_LAW = 10.0, 0.6
# A share of the loss that moved by so much, and so many errors of what blinks come by chance, is a change
# itself; its type need then only be another one by three to one.
CLEAR_MOVE, CLEAR_SIGMA, LIKELIER = 0.2, 2.5, 0.75
# One that moved further shows in less light, and the likelier types will do.
FAR_MOVE, FAR_SIGMA, FAR_S, EVEN = 0.3, 3.5, 2.0, 0.5
# What is so near to a step is at it, and a change at it is known to as much.
STEP_S = 0.05
# Half of the central 68 % of a span in which a change may be anywhere, over its length.
HALF_CENTRAL = 0.34


@dataclass(frozen=True, slots=True)
class BothSides:
    """What verdicts saw before and behind a step of the fluence.

    Attributes:
        step_s: when it was.
        before: on the light up to it.
        since: on the light since, as it grew; the last is on all of it.
        expected: type that the dot had before at this fluence; None where there is none.
    """

    step_s: float
    before: BlinkingCall
    since: Sequence[BlinkingCall]
    expected: Blinking | None = None

    @property
    def behind(self) -> BlinkingCall:
        """On all light since the step."""
        return self.since[-1]

    @property
    def seen_s(self) -> float:
        """The lesser of the times seen before and behind."""
        return min(call.stop_s - call.start_s for call in (self.before, self.behind))

    @property
    def share_tells(self) -> bool:
        """Whether a share that moved is a change: that of a mixed dot moves with the fluence as a rule."""
        return self.before.blinking != "mixed" or self.behind.blinking == self.expected

    def moved(self, marks: Sequence[Mark]) -> tuple[float, float]:
        """How far the share of the law rose from one side to the other, and in errors; 0 where unknown."""
        old, new = share_of_law(self.before, marks), share_of_law(self.behind, marks)
        if old is None or new is None:
            return 0.0, 0.0
        rise = (new.value or 0.0) - (old.value or 0.0)
        return rise, rise / max(float(np.hypot(old.error or 0.0, new.error or 0.0)), 1e-9)


def step_change(
    sides: BothSides, marks: Sequence[Mark], own: Sequence[Mark], budget: AlarmBudget
) -> Change | None:
    """The change of type that verdicts on both sides of a step show; None if none.

    Both have to be sure of what the dot did, and of its law; less so where a moved share is a change itself.

    Args:
        sides: the verdicts.
        marks: blinks of both sides, in order of time.
        own: those since the step, as the verdict has them: it may tell what they are where rows cannot.
        budget: of false alarms, which blinks have to keep to say when it was.
    """
    chance = _chance(sides, marks, budget)
    if chance is None:
        return None
    place = _placed(sides, marks, own, budget)
    return Change(
        log_evidence=0.0,
        certainty=chance,
        probability=chance,
        index=sum(m.start_s < place.time_s for m in marks),
        time_s=place.time_s,
        error_s=place.error_s,
        seen_s=place.seen_s,
        before=sides.before.blinking,
        after=place.after,
    )


def share_moved(sides: BothSides, marks: Sequence[Mark]) -> bool:
    """Whether the share of the law moved far at a step at which the type stayed."""
    same = sides.before.blinking == sides.behind.blinking
    return same and sides.seen_s >= LEAST_STEP_S and _is_far(*sides.moved(marks))


def _is_far(rise: float, sigmas: float) -> bool:
    return abs(rise) > FAR_MOVE and abs(sigmas) > FAR_SIGMA


def _chance(sides: BothSides, marks: Sequence[Mark], budget: AlarmBudget) -> float | None:
    """That the types of two verdicts are those of the law, and differ; None if that is not worth telling."""
    calls = sides.before, sides.behind
    laws = [law for call in calls if (law := law_of(call, marks)) is not None]
    if sides.before.blinking == sides.behind.blinking or len(laws) < 2:
        return None
    chance = float(1 - laws[0] @ laws[1])
    # How sure both verdicts are of what the dot did, and that it is what its law makes of it.
    seen = min(leaning_of(call)[call.blinking] for call in calls)
    of_law = min(
        dict(zip(TYPES, law, strict=True)).get(call.blinking, 0.0)
        for law, call in zip(laws, calls, strict=True)
    )
    rise, sigmas = np.abs(sides.moved(marks)) if sides.share_tells else (0.0, 0.0)
    clear = rise > CLEAR_MOVE and sigmas > CLEAR_SIGMA
    if sides.seen_s >= FAR_S:
        if _is_far(rise, sigmas) and min(chance, seen) > EVEN:
            return chance
        if rise > CLEAR_MOVE and min(chance, seen) >= LIKELIER and place_change(marks, budget) is not None:
            return chance
    sure = seen >= SURE and of_law >= SURE_LAW and sides.seen_s >= LEAST_STEP_S
    return chance if sure and chance >= (LIKELIER if clear else LEAST_CERTAINTY) else None


class _Place(NamedTuple):
    """Where the law changed.

    Attributes:
        time_s: when.
        error_s: of that.
        seen_s: from when on there is light of the new law alone.
        after: what it led to.
    """

    time_s: float
    error_s: float
    seen_s: float
    after: Blinking


def _placed(sides: BothSides, marks: Sequence[Mark], own: Sequence[Mark], budget: AlarmBudget) -> _Place:
    """Where blinks show a change behind the step; where verdicts do, if they do not; else at the step."""
    for seen in (marks, [*(m for m in marks if m.start_s < sides.step_s), *own]):
        placed = place_change(seen, budget)
        if placed is not None and placed[0] - placed[1] > sides.step_s + STEP_S:
            return _among(seen, *placed, sides)
    return _between_verdicts(sides, marks) or _among(marks, sides.step_s, STEP_S, sides)


def _among(seen: Sequence[Mark], time_s: float, error_s: float, sides: BothSides) -> _Place:
    """A place among some blinks, which tell the type behind it if it is not at the step."""
    behind = [m for m in seen if m.start_s >= time_s]
    since = likely(Regime.of(behind).types())
    told = time_s > sides.step_s and len(since) == 1 and since[0] != sides.before.blinking
    first_s = behind[0].start_s if behind else time_s
    return _Place(time_s, error_s, first_s, since[0] if told else sides.behind.blinking)


def _between_verdicts(sides: BothSides, marks: Sequence[Mark]) -> _Place | None:
    """Between the last verdict behind the step that is sure of the old law and the next; None if none is.

    Charges come and go with the light at once; traps come by damage, some time behind the step.
    """
    rise, _ = sides.moved(marks)
    old = TYPES.index(sides.before.blinking)
    unchanged = [
        i
        for i, call in enumerate(sides.since)
        if (law := law_of(call, marks)) is not None and law[old] >= SURE
    ]
    back = sides.behind.blinking == sides.expected
    if rise >= 0 or back or not unchanged or unchanged[-1] + 1 >= len(sides.since):
        return None
    begin_s, end_s = (sides.since[i].stop_s for i in (unchanged[-1], unchanged[-1] + 1))
    error_s = HALF_CENTRAL * (end_s - begin_s)
    return _Place((begin_s + end_s) / 2, error_s, end_s, sides.behind.blinking)
