"""Have the verdicts on both sides of a step of the fluence seen a dot of two types?

Blinks decide sooner (`sequential`), but what they cannot settle, the light lost in many seconds can. Where it
changed blinks may know all the same.
"""

from collections.abc import Sequence

import numpy as np

from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.regimes import TYPES, Mark, Regime, likely
from qdmon.analysis.conversion.sequential import LEAST_CERTAINTY, Change, place_change
from qdmon.analysis.conversion.type_change import SURE, law_of, leaning_of, share_of_law
from qdmon.analysis.results.blinking import Blinking, BlinkingCall

__all__ = ["STEP_S", "step_change"]

# Verdicts on both sides of a step are a conversion if each is on so much light, and as sure of its law.
LEAST_STEP_S, SURE_LAW = 10.0, 0.6
# A share of the loss that moved by so much, and so many errors of what blinks come by chance, is a change
# itself; its type need then only be another one by three to one.
CLEAR_MOVE, CLEAR_SIGMA, LIKELIER = 0.2, 2.5, 0.75
# One that moved further shows in less light, and the likelier types will do.
FAR_MOVE, FAR_SIGMA, FAR_S, EVEN = 0.3, 3.5, 3.0, 0.5
# What is so near to a step is at it, and a change at it is known to as much.
STEP_S = 0.05


def step_change(
    marks: Sequence[Mark],
    own: Sequence[Mark],
    before: BlinkingCall,
    behind: BlinkingCall,
    step_s: float,
    budget: AlarmBudget,
    expected: Blinking | None = None,
) -> Change | None:
    """The change of type that two verdicts show; None if none.

    Both have to be sure of what the dot did, and of its law; less so if its share clearly moved. But that of
    a mixed dot moves with the fluence as a rule: it need only be what it was where it was that before.

    Args:
        marks: blinks of both stretches, in order of time.
        own: those since the step, as the verdict has them: it may tell what they are where rows cannot.
        before: on the light up to the step.
        behind: on the light since.
        step_s: when the step was.
        budget: of false alarms, which blinks have to keep to say when it was.
        expected: type that the dot had before at this fluence; None where there is none.
    """
    moves = before.blinking != "mixed" or behind.blinking == expected
    chance = _chance(before, behind, marks, share_tells=moves)
    if chance is None:
        return None
    time_s, error_s, seen = _placed(marks, own, step_s, budget)
    index = sum(m.start_s < time_s for m in marks)
    first_s = next((m.start_s for m in seen if m.start_s >= time_s), time_s)
    since = likely(Regime.of([m for m in seen if m.start_s >= time_s]).types())
    told = time_s > step_s and len(since) == 1 and since[0] != before.blinking
    return Change(
        log_evidence=0.0,
        certainty=chance,
        probability=chance,
        index=index,
        time_s=time_s,
        error_s=error_s,
        seen_s=first_s,
        before=before.blinking,
        after=since[0] if told else behind.blinking,
    )


def _chance(
    before: BlinkingCall, behind: BlinkingCall, marks: Sequence[Mark], *, share_tells: bool
) -> float | None:
    """That the types of two verdicts are those of the law, and differ; None if that is not worth telling.

    Args:
        before: on the light up to a step.
        behind: on the light since.
        marks: blinks of both.
        share_tells: a share that moved is a change of the law.
    """
    laws = [law for call in (before, behind) if (law := law_of(call, marks)) is not None]
    if before.blinking == behind.blinking or len(laws) < 2:
        return None
    chance = float(1 - laws[0] @ laws[1])
    seen_s = min(call.stop_s - call.start_s for call in (before, behind))
    moved, sigmas = _moved(before, behind, marks) if share_tells else (0.0, 0.0)
    if moved > FAR_MOVE and sigmas > FAR_SIGMA and seen_s >= FAR_S:
        return chance if chance > EVEN else None
    named = all(
        TYPES[int(np.argmax(law))] == call.blinking
        and max(law) >= SURE_LAW
        and leaning_of(call)[call.blinking] >= SURE
        for law, call in zip(laws, (before, behind), strict=True)
    )
    least = LIKELIER if moved > CLEAR_MOVE and sigmas > CLEAR_SIGMA else LEAST_CERTAINTY
    return chance if named and seen_s >= LEAST_STEP_S and chance >= least else None


def _placed(
    marks: Sequence[Mark], own: Sequence[Mark], step_s: float, budget: AlarmBudget
) -> tuple[float, float, Sequence[Mark]]:
    """When the law changed, the error of that, and blinks that say so: at the step, if none show it later."""
    for seen in (marks, [*(m for m in marks if m.start_s < step_s), *own]):
        placed = place_change(seen, budget)
        if placed is not None and placed[0] - placed[1] > step_s + STEP_S:
            return *placed, seen
    return step_s, STEP_S, marks


def _moved(before: BlinkingCall, behind: BlinkingCall, marks: Sequence[Mark]) -> tuple[float, float]:
    """By how much the share of the law moved between two verdicts, and in errors; 0 where that is unknown."""
    old, new = share_of_law(before, marks), share_of_law(behind, marks)
    if old is None or new is None:
        return 0.0, 0.0
    moved = abs((new.value or 0.0) - (old.value or 0.0))
    return moved, moved / max(float(np.hypot(old.error or 0.0, new.error or 0.0)), 1e-9)
