"""Have the verdicts on both sides of a step of the fluence seen a dot of two types?

Blinks decide sooner (`sequential`), but what they cannot settle, the light lost in many seconds can. Where it
changed blinks may know all the same.
"""

from collections.abc import Sequence

import numpy as np

from qdmon.analysis.conversion.alarms import AlarmBudget
from qdmon.analysis.conversion.regimes import TYPES, Mark
from qdmon.analysis.conversion.sequential import LEAST_CERTAINTY, Change, place_change
from qdmon.analysis.conversion.type_change import SURE, law_of, leaning_of
from qdmon.analysis.results.blinking import BlinkingCall

__all__ = ["STEP_S", "step_change"]

# Verdicts on both sides of a step are a conversion if each is on so much light, and as sure of its law.
LEAST_STEP_S, SURE_LAW = 10.0, 0.6
# What is so near to a step is at it, and a change at it is known to as much.
STEP_S = 0.05


def step_change(
    marks: Sequence[Mark], before: BlinkingCall, behind: BlinkingCall, step_s: float, budget: AlarmBudget
) -> Change | None:
    """The change of type that two verdicts show; None if none.

    Both have to be sure of what the dot did, and of its law.

    Args:
        marks: blinks of both stretches, in order of time.
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
    if chance < LEAST_CERTAINTY:
        return None
    placed = place_change(marks, budget)
    time_s, error_s = placed if placed is not None and placed[0] > step_s else (step_s, STEP_S)
    index = sum(m.start_s < time_s for m in marks)
    return Change(
        log_evidence=0.0,
        certainty=chance,
        probability=chance,
        index=index,
        time_s=time_s,
        error_s=error_s,
        seen_s=max(marks[index].start_s, time_s) if index < len(marks) else time_s,
        before=old,
        after=new,
    )
