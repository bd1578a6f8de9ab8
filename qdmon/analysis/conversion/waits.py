"""What the bright times around a change say: blinks of another law mostly come at another rate.

Dwells scatter more than an exponential law has it, and often have no scale at all: very long waits are
the rule then. Any law is a Lomax law, exponential with a Gamma distributed rate, its tail a power law.
The old one is known from its own waits, its scale and whether the tail is steep or heavy; the new law from
nothing but what is usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from qdmon.analysis.conversion.regimes import Mark

__all__ = ["USUAL_RATE_HZ", "USUAL_WAIT_S", "OldLaws", "log_waits", "old_laws"]

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
    marks: Sequence[Mark], places: NDArray[np.intp], steps_s: FloatArray, now_s: float | None
) -> FloatArray:
    """(p,) log-likelihood ratio of the waits at and behind each place: a new rate against the old.

    The old rate is that since the last step of the fluence. Where a step lies in between, nothing is known
    of it, and the waits say nothing.

    Args:
        marks: blinks in order of time.
        places: (p,) first blink behind the change.
        steps_s: times of the steps of the fluence, ascending.
        now_s: how far one has looked; as far as the last blink if not given.
    """
    starts, stops = np.array([(m.start_s, m.stop_s) for m in marks]).T
    gaps = np.maximum(starts[1:] - stops[:-1], 0.0)
    every, crossed_any = old_laws(starts, gaps, steps_s)
    old, crossed = every.at(places - 1), crossed_any[places - 1]
    at = gaps[places - 1]
    # Blinks that touch are parts of one dwell: there was no wait.
    waited = gaps > 0
    ratio = np.where(waited[places - 1], _log_lomax(at, USUAL_WAIT_S, NEW_SHAPE) - old.log_wait(at), 0.0)
    shape, span_s = NEW_SHAPE + waited[places - 1], NEW_SHAPE * USUAL_WAIT_S + at
    for k in range(MOST_WAITS):
        here = places + k
        wait = np.where(here < len(gaps), gaps[np.minimum(here, len(gaps) - 1)], 0.0)
        inside = wait > 0
        new = _log_lomax(wait, span_s / shape, shape) - old.log_wait(wait)
        ratio += np.where(inside, new, 0.0)
        shape, span_s = shape + inside, span_s + wait
    if now_s is not None and now_s > stops[-1]:
        open_s = np.where(len(marks) - places <= MOST_WAITS, now_s - stops[-1], 0.0)
        ratio += _log_longer(open_s, span_s / shape, shape) - old.log_longer(open_s)
    return np.asarray(np.where(crossed, 0.0, np.clip(ratio, -MOST_AGAINST, MOST_FOR)))


@dataclass(frozen=True, slots=True)
class OldLaws:
    """Laws of the waits before some gaps: a steep one of known mean, or a heavy one of known middle.

    Attributes:
        mean_s: (g,) of the steep law.
        scale_s: (g,) of the heavy law.
        heavy: (g,) log odds of the heavy law.
    """

    mean_s: FloatArray
    scale_s: FloatArray
    heavy: FloatArray

    def at(self, index: NDArray[np.intp]) -> "OldLaws":
        """Those of some gaps."""
        return OldLaws(self.mean_s[index], self.scale_s[index], self.heavy[index])

    def log_wait(self, wait: FloatArray) -> FloatArray:
        """Log density of a wait."""
        return self._either(*self.log_each(wait))

    def log_each(self, wait: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The same under the steep and under the heavy law."""
        return _log_lomax(wait, self.mean_s, STEEP), _log_lomax(wait, self.scale_s / HEAVY, HEAVY)

    def log_longer(self, wait: FloatArray) -> FloatArray:
        """Log of the chance of a longer wait."""
        return self._either(
            _log_longer(wait, self.mean_s, STEEP), _log_longer(wait, self.scale_s / HEAVY, HEAVY)
        )

    def _either(self, steep: FloatArray, heavy: FloatArray) -> FloatArray:
        return np.asarray(np.logaddexp(steep, heavy + self.heavy) - np.logaddexp(0.0, self.heavy))


def old_laws(starts: FloatArray, gaps: FloatArray, steps_s: FloatArray) -> tuple[OldLaws, NDArray[np.bool_]]:
    """Laws of the waits before each gap since the last step, and whether that step lies in the gap."""
    waited = gaps > 0
    # Summed up to each gap, that one left out.
    sums = np.cumsum([waited, gaps, np.where(waited, np.log(np.where(waited, gaps, 1.0)), 0.0)], axis=1)
    before = np.concatenate([np.zeros((3, 1)), sums], axis=1)
    gap = np.arange(len(gaps))
    since = np.concatenate([[-np.inf], steps_s])[np.searchsorted(steps_s, starts[1:], side="right")]
    # The first gap of this fluence begins behind its first blink.
    first = np.minimum(np.searchsorted(starts, since), gap)
    number, total, logs = before[:, gap] - before[:, first]
    crossed = np.asarray(since > starts[:-1])
    mean_s = (total + USUAL_WAIT_S) / (number + 1)
    middle_s = np.exp((logs + np.log(USUAL_WAIT_S)) / (number + 1))
    laws = OldLaws(mean_s, middle_s / MIDDLE, np.zeros(len(gaps)))
    steep, heavy = laws.log_each(gaps)
    told = np.where(waited & ~crossed, heavy - steep, 0.0)
    odds = np.cumsum(told) - told
    return OldLaws(laws.mean_s, laws.scale_s, odds), crossed


def _log_lomax(wait: FloatArray, mean_s: FloatArray | float, shape: FloatArray | float) -> FloatArray:
    """Log density of a wait whose rate is Gamma distributed with this shape, of mean 1 / mean_s."""
    return np.asarray(-np.log(mean_s) - (np.asarray(shape) + 1) * np.log1p(wait / (shape * mean_s)))


def _log_longer(wait: FloatArray, mean_s: FloatArray, shape: FloatArray | float) -> FloatArray:
    """Log of the chance of a longer wait."""
    return np.asarray(-shape * np.log1p(wait / (shape * mean_s)))
