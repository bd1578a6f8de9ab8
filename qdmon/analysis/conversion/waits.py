"""What the bright times around a change say: blinks of another law mostly come at another rate.

Dwells scatter more than an exponential law has it, and often have no scale at all: very long waits are
the rule then. Any law is a Lomax law, exponential with a Gamma distributed rate, its tail a power law.
The old one is known from its own waits, its scale and whether the tail is steep or heavy; the new law from
nothing but what is usual.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from hardware.jit import jit
from qdmon.analysis.conversion.regimes import Columns

__all__ = ["USUAL_RATE_HZ", "USUAL_WAIT_S", "log_longer_waits", "log_waits"]

FloatArray = NDArray[np.float64]

USUAL_RATE_HZ = 3.0
USUAL_WAIT_S = 1 / USUAL_RATE_HZ
# Power of the tail, less one, of a law that has been, steep or heavy, and of one to come.
STEEP, HEAVY, NEW_SHAPE = 4.0, 0.7, 1.0
# Geometric mean of a heavy law over its scale: exp(digamma(1) - digamma(HEAVY)).
MIDDLE = float(np.exp(digamma(1.0) - digamma(HEAVY)))
# Waits behind a change that are looked at, and the most that waits count for or against it: rates wander.
MOST_WAITS, MOST_FOR, MOST_AGAINST = 8, 5.0, 2.0


def log_waits(
    blinks: Columns, places: NDArray[np.intp], steps_s: FloatArray, now_s: float | None
) -> FloatArray:
    """(p,) log-likelihood ratio of the waits at and behind each place: a new rate against the old.

    The old rate is that since the last step of the fluence. Where a step lies in between, nothing is known
    of it, and the waits say nothing.

    Args:
        blinks: in order of time.
        places: (p,) first blink behind the change.
        steps_s: times of the steps of the fluence, ascending.
        now_s: how far one has looked; as far as the last blink if not given.
    """
    starts, stops = blinks.start_s, blinks.stop_s
    # Blinks that touch are parts of one dwell: there was no wait.
    gaps = np.maximum(starts[1:] - stops[:-1], 0.0)
    open_s = max(now_s - stops[-1], 0.0) if now_s is not None else 0.0
    ratio = _log_ratios(_old_laws(starts, gaps, steps_s), gaps, places, open_s)
    return np.clip(ratio, -MOST_AGAINST, MOST_FOR)


class _OldLaws(NamedTuple):
    """Laws of the waits before g gaps: a steep one of known mean, or a heavy one of known middle.

    Attributes:
        mean_s: (g,) of the steep law.
        scale_s: (g,) of the heavy law.
        heavy: (g,) log odds of the heavy law.
        crossed: (g,) whether the last step of the fluence lies in the gap.
    """

    mean_s: FloatArray
    scale_s: FloatArray
    heavy: FloatArray
    crossed: NDArray[np.bool_]


@jit
def _log_lomax(wait: float, mean_s: float, shape: float) -> float:
    """Log density of a wait whose rate is Gamma distributed with this shape, of mean 1 / mean_s."""
    return float(-np.log(mean_s) - (shape + 1) * np.log1p(wait / (shape * mean_s)))


@jit
def _log_longer(wait: float, mean_s: float, shape: float) -> float:
    """Log of the chance of a longer wait."""
    return float(-shape * np.log1p(wait / (shape * mean_s)))


@jit
def _either(steep: float, heavy: float, odds: float) -> float:
    """Log of what a steep and a heavy law say together, with log odds of the heavy one."""
    return float(np.logaddexp(steep, heavy + odds) - np.logaddexp(0.0, odds))


@jit
def _old_laws(starts: FloatArray, gaps: FloatArray, steps_s: FloatArray) -> _OldLaws:
    """Laws of the waits before each gap, since the last step of the fluence before it ends."""
    n = len(gaps)
    mean_s, scale_s, heavy, crossed = np.empty(n), np.empty(n), np.empty(n), np.empty(n, np.bool_)
    # Waits up to each gap, that one left out: how many, their sum and that of their logarithms.
    number, total_s, logs = np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1)
    odds = 0.0
    for g in range(n):
        steps = np.searchsorted(steps_s, starts[g + 1], side="right")
        since_s = steps_s[steps - 1] if steps else -np.inf
        # The first gap of this fluence begins behind its first blink.
        first = min(np.searchsorted(starts, since_s), g)
        seen = number[g] - number[first] + 1
        mean_s[g] = (total_s[g] - total_s[first] + USUAL_WAIT_S) / seen
        scale_s[g] = np.exp((logs[g] - logs[first] + np.log(USUAL_WAIT_S)) / seen) / MIDDLE
        heavy[g], crossed[g] = odds, since_s > starts[g]
        number[g + 1], total_s[g + 1], logs[g + 1] = number[g], total_s[g] + gaps[g], logs[g]
        if gaps[g] > 0:
            number[g + 1] += 1
            logs[g + 1] += np.log(gaps[g])
            if not crossed[g]:
                odds += _log_lomax(gaps[g], scale_s[g] / HEAVY, HEAVY) - _log_lomax(gaps[g], mean_s[g], STEEP)
    return _OldLaws(mean_s, scale_s, heavy, crossed)


@jit
def _log_ratios(laws: _OldLaws, gaps: FloatArray, places: NDArray[np.intp], open_s: float) -> FloatArray:
    """(p,) log-likelihood ratio of the waits from each place on, none of them taken off for being large.

    Args:
        laws: before each gap.
        gaps: (g,) between blinks; 0 is no wait.
        places: (p,) first blink behind the change.
        open_s: how long no blink has followed the last one.
    """
    ratio = np.zeros(len(places))
    for i in range(len(places)):
        old = places[i] - 1
        if laws.crossed[old]:
            continue
        mean_s, middle_s, odds = laws.mean_s[old], laws.scale_s[old] / HEAVY, laws.heavy[old]
        shape, span_s = NEW_SHAPE, NEW_SHAPE * USUAL_WAIT_S
        for g in range(old, min(places[i] + MOST_WAITS, len(gaps))):
            wait = gaps[g]
            if wait > 0:
                steep, heavy = _log_lomax(wait, mean_s, STEEP), _log_lomax(wait, middle_s, HEAVY)
                ratio[i] += _log_lomax(wait, span_s / shape, shape) - _either(steep, heavy, odds)
                shape, span_s = shape + 1, span_s + wait
        if len(gaps) + 1 - places[i] <= MOST_WAITS:
            steep, heavy = _log_longer(open_s, mean_s, STEEP), _log_longer(open_s, middle_s, HEAVY)
            ratio[i] += _log_longer(open_s, span_s / shape, shape) - _either(steep, heavy, odds)
    return ratio


@jit
def log_longer_waits(starts: FloatArray, gaps: FloatArray, at: NDArray[np.intp]) -> FloatArray:
    """(p,) log of the chance that a wait was longer than it was, by those before it.

    Args:
        starts: (g + 1,) of blinks.
        gaps: (g,) between them; 0 is no wait.
        at: (p,) which of these.
    """
    laws = _old_laws(starts, gaps, np.empty(0))
    found = np.empty(len(at))
    for i in range(len(at)):
        g = at[i]
        steep = _log_longer(gaps[g], laws.mean_s[g], STEEP)
        heavy = _log_longer(gaps[g], laws.scale_s[g] / HEAVY, HEAVY)
        found[i] = _either(steep, heavy, laws.heavy[g])
    return found
