"""False alarms of the sequential test on blinks whose kind is clear, against the rate that is configured.

    python -m tests.benchmarks.alarms [SWEEPS] [PER_DAY] [PERSISTENCE | power]

Blinks of dots that do not change their share of Auger blinks, drawn from the prior of the test, in sweeps
of three steps of 25 s (low, high, low fluence), with a rate of blinking that the fluence changes. They are
independent, or a Markov chain of a persistence, or those of a dot with both mechanisms of which charged and
neutral dwells follow power laws and which blinks by its traps while it is neutral; dots with runs are mixed
ones, as the others have none to speak of. A rate far above the default is configured so that there is
something to count. What photons add (blinks read wrong) is not in here: see conversion.py.
"""

import sys
from collections import Counter

import numpy as np

from qdmon.analysis.conversion.alarms import SLACK, AlarmBudget
from qdmon.analysis.conversion.regimes import Mark
from qdmon.analysis.conversion.sequential import find_change
from qdmon.analysis.conversion.shares import LOG_WEIGHT, SHARES
from qdmon.analysis.results.segment import FluenceStep

STEP_S = 25.0
STEPS = [FluenceStep(0.0, 0.1), FluenceStep(STEP_S, 1.0), FluenceStep(2 * STEP_S, 0.1)]
# Nearly all of a budget is spent this soon after a step.
LOOK_S = 6.0
CLEAR = 40.0
# Power laws of the neutral and charged dwells: shortest and longest in s, range of the exponents.
NEUTRAL, CHARGED, EXPONENTS = (0.05, 10.0), (0.002, 1.0), (1.3, 2.0)


def blinks(rng: np.random.Generator, share: float, persistence: float = 0.0) -> list[Mark]:
    """Blinks of one dot in one sweep, each of the kind of the one before with an additional chance."""
    low_hz = float(np.exp(rng.normal(np.log(2.0), 0.6)))
    rates_hz = (low_hz, low_hz * float(np.exp(rng.normal(0.7, 0.7))), low_hz)
    starts = np.concatenate(
        [np.sort((k + rng.random(rng.poisson(rate * STEP_S))) * STEP_S) for k, rate in enumerate(rates_hz)]
    )
    charged = rng.random(len(starts)) < share
    for i in np.flatnonzero(rng.random(len(starts)) < persistence).tolist():
        charged[i] = charged[max(i - 1, 0)]
    odds = np.where(charged, CLEAR, -CLEAR)
    return [Mark(t, t + 0.03, o, 0.02) for t, o in zip(starts.tolist(), odds.tolist(), strict=True)]


def power_law_blinks(rng: np.random.Generator) -> list[Mark]:
    """Blinks of a dot that charges and is neutral for power-law times, and blinks by traps when neutral."""
    trap_hz = float(np.exp(rng.normal(np.log(2.0), 0.6)))
    exponents = rng.uniform(*EXPONENTS, 2)
    marks: list[Mark] = []
    time_s = 0.0
    while time_s < len(STEPS) * STEP_S:
        neutral, charged = (
            _dwell(rng, *span, float(e)) for span, e in zip((NEUTRAL, CHARGED), exponents, strict=True)
        )
        traps = np.sort(time_s + neutral * rng.random(rng.poisson(trap_hz * neutral)))
        marks += [Mark(t, t + 0.01, -CLEAR, 0.007) for t in traps.tolist()]
        time_s += neutral
        marks.append(Mark(time_s, time_s + charged, CLEAR, 0.6 * charged))
        time_s += charged
    return [m for m in marks if m.start_s < len(STEPS) * STEP_S]


def _dwell(rng: np.random.Generator, shortest_s: float, longest_s: float, exponent: float) -> float:
    power = 1 - exponent
    first, last = shortest_s**power, longest_s**power
    return float((first + rng.random() * (last - first)) ** (1 / power))


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


def main(sweeps: int, per_day: float, runs: str) -> None:
    rng = np.random.default_rng(1)
    seen: Counter[str] = Counter()
    false: Counter[str] = Counter()
    weight = np.exp(LOG_WEIGHT)
    if runs != "0":
        weight = np.where(kind_of_all() == "both, or few trap blinks", weight, 0.0)
    for _ in range(sweeps):
        share = float(rng.choice(SHARES, p=weight / weight.sum()))
        marks = power_law_blinks(rng) if runs == "power" else blinks(rng, share, float(runs))
        kind = "power laws" if runs == "power" else kind_of(share)
        seen[kind] += 1
        false[kind] += alarmed(marks, per_day)
    budget = AlarmBudget.of(per_day / SLACK, STEPS)
    allowed = sweeps * float(budget.at_step.sum() + budget.after_step.sum() + budget.per_s * 3 * STEP_S)
    print(f"runs: {runs}; configured: {per_day:g} a day, so allowed in {sweeps} sweeps: {allowed:.1f}")
    print(f"seen: {sum(false.values())}")
    for kind, n in sorted(seen.items()):
        print(f"  {kind}: {false[kind]} of {n} dots")


def kind_of_all() -> np.ndarray:
    """(k,) of each share of the prior."""
    return np.array([kind_of(float(share)) for share in SHARES])


if __name__ == "__main__":
    words = [*sys.argv[1:], *["1000", "30", "0"][len(sys.argv) - 1 :]]
    main(int(words[0]), float(words[1]), words[2])
