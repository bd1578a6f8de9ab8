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
from qdmon.analysis.results.blinking import BlinkingCall

__all__ = ["STEP_S", "step_change"]

# Verdicts on both sides of a step are a conversion if each is on so much light, and as sure of its law.
LEAST_STEP_S, SURE_LAW = 10.0, 0.6
# A share of the loss that moved by so much, and so many errors of what blinks come by chance, is a change
# itself; its type need then only be another one by three to one.
CLEAR_MOVE, CLEAR_SIGMA, LIKELIER = 0.2, 2.5, 0.75
# What is so near to a step is at it, and a change at it is known to as much.
STEP_S = 0.05


def step_change(
    marks: Sequence[Mark],
    own: Sequence[Mark],
    before: BlinkingCall,
    behind: BlinkingCall,
    step_s: float,
    budget: AlarmBudget,
) -> Change | None:
    """The change of type that two verdicts show; None if none.

    Both have to be sure of what the dot did, and of its law; less so if its share clearly moved.

    Args:
        marks: blinks of both stretches, in order of time.
        own: those since the step, as the verdict has them: it may tell what they are where rows cannot.
        before: on the light up to the step.
        behind: on the light since.
        step_s: when the step was.
        budget: of false alarms, which blinks have to keep to say when it was.
    """
    laws = []
    for call in (before, behind):
        law = law_of(call, marks)
        if law is None or call.stop_s - call.start_s < LEAST_STEP_S:
            return None
        if max(law) < SURE_LAW or leaning_of(call)[call.blinking] < SURE:
            return None
        laws.append(law)
    old, new = (TYPES[int(np.argmax(law))] for law in laws)
    if old == new or (old, new) != (before.blinking, behind.blinking):
        return None
    chance = float(1 - laws[0] @ laws[1])
    if chance < (LIKELIER if _clearly_moved(before, behind, marks) else LEAST_CERTAINTY):
        return None
    time_s, error_s, seen = _placed(marks, own, step_s, budget)
    index = sum(m.start_s < time_s for m in marks)
    first_s = next((m.start_s for m in seen if m.start_s >= time_s), time_s)
    since = likely(Regime.of([m for m in seen if m.start_s >= time_s]).types())
    told = time_s > step_s and len(since) == 1 and since[0] != old
    return Change(
        log_evidence=0.0,
        certainty=chance,
        probability=chance,
        index=index,
        time_s=time_s,
        error_s=error_s,
        seen_s=first_s,
        before=old,
        after=since[0] if told else new,
    )


def _placed(
    marks: Sequence[Mark], own: Sequence[Mark], step_s: float, budget: AlarmBudget
) -> tuple[float, float, Sequence[Mark]]:
    """When the law changed, the error of that, and blinks that say so: at the step, if none show it later."""
    for seen in (marks, [*(m for m in marks if m.start_s < step_s), *own]):
        placed = place_change(seen, budget)
        if placed is not None and placed[0] - placed[1] > step_s + STEP_S:
            return *placed, seen
    return step_s, STEP_S, marks


def _clearly_moved(before: BlinkingCall, behind: BlinkingCall, marks: Sequence[Mark]) -> bool:
    """Whether the shares of two verdicts are those of different laws, whatever their types."""
    old, new = share_of_law(before, marks), share_of_law(behind, marks)
    if old is None or new is None:
        return False
    moved = abs((new.value or 0.0) - (old.value or 0.0))
    error = float(np.hypot(old.error or 0.0, new.error or 0.0))
    return moved > CLEAR_MOVE and moved > CLEAR_SIGMA * error
