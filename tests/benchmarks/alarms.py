"""False alarms of the sequential test on blinks whose kind is clear, against the rate that is configured.

    python -m tests.benchmarks.alarms [SWEEPS] [PER_DAY]

Blinks of dots that do not change their share of Auger blinks, drawn from the prior of the test, in sweeps of
three steps of 25 s (low, high, low fluence), with a rate of blinking that the fluence changes. A rate far
above the default is configured so that there is something to count. What photons add (blinks read wrong) is
not in here: see conversion.py.
"""

import sys
from collections import Counter

import numpy as np

from qdmon.analysis.conversion.alarms import SLACK, AlarmBudget
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.sequential import find_change
from qdmon.analysis.conversion.shares import LOG_WEIGHT, SHARES
from qdmon.analysis.snapshot import FluenceStep

STEP_S = 25.0
STEPS = [FluenceStep(0.0, 0.1), FluenceStep(STEP_S, 1.0), FluenceStep(2 * STEP_S, 0.1)]
# Nearly all of a budget is spent this soon after a step.
LOOK_S = 6.0
CLEAR = 40.0


def blinks(rng: np.random.Generator, share: float) -> list[Mark]:
    """Blinks of one dot in one sweep."""
    low_hz = float(np.exp(rng.normal(np.log(2.0), 0.6)))
    rates_hz = (low_hz, low_hz * float(np.exp(rng.normal(0.7, 0.7))), low_hz)
    starts = np.concatenate(
        [np.sort((k + rng.random(rng.poisson(rate * STEP_S))) * STEP_S) for k, rate in enumerate(rates_hz)]
    )
    odds = np.where(rng.random(len(starts)) < share, CLEAR, -CLEAR)
    return [Mark(t, t + 0.03, o, 0.02) for t, o in zip(starts.tolist(), odds.tolist(), strict=True)]


def alarmed(marks: list[Mark], per_day: float) -> bool:
    """Whether any blink of a sweep raises an alarm."""
    for n in range(1, len(marks) + 1):
        now_s = marks[n - 1].start_s
        steps = [s for s in STEPS if s.start_s <= now_s]
        if now_s - steps[-1].start_s > LOOK_S or len(steps) == 1:
            continue
        if find_change(marks[:n], AlarmBudget.of(per_day, steps)) is not None:
            return True
    return False


def kind_of(share: float) -> str:
    """Which part of the prior a share is from."""
    if min(share, 1 - share) < 1e-4:
        return "one mechanism"
    return "few Auger blinks" if share < 0.2 else "both, or few trap blinks"


def main(sweeps: int, per_day: float) -> None:
    rng = np.random.default_rng(1)
    seen: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for _ in range(sweeps):
        share = float(rng.choice(SHARES, p=np.exp(LOG_WEIGHT)))
        seen[kind_of(share)] += 1
        false[kind_of(share)] += alarmed(blinks(rng, share), per_day)
    budget = AlarmBudget.of(per_day / SLACK, STEPS)
    allowed = sweeps * float(budget.at_step.sum() + budget.after_step.sum() + budget.per_s * 3 * STEP_S)
    print(f"configured: {per_day:g} a day, so allowed in {sweeps} sweeps: {allowed:.1f}")
    print(f"seen: {sum(false.values())}")
    for kind, n in sorted(seen.items()):
        print(f"  {kind}: {false[kind]} of {n} dots")


if __name__ == "__main__":
    numbers = [float(a) for a in sys.argv[1:]]
    count, rate = [*numbers, *[1000.0, 30.0][len(numbers) :]]
    main(int(count), rate)
