"""What the bright times around a change say: blinks of another law mostly come at another rate.

Dwells scatter more than an exponential law has it, so either law, the old one, known from its blinks, and the
new one, known from nothing but what is usual, is a Lomax law: exponential with a Gamma distributed rate.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.conversion.regimes import Mark

__all__ = ["USUAL_RATE_HZ", "log_waits"]

FloatArray = NDArray[np.float64]

USUAL_RATE_HZ = 3.0
USUAL_WAIT_S = 1 / USUAL_RATE_HZ
# How sharply the rate of blinking is known: of the regime that has been, and of one to come.
OLD_SHAPE, NEW_SHAPE = 4.0, 1.0
# Waits behind a change that are looked at, and the most they count for or against it, as the rate wanders.
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
    old_s, crossed = _old_wait(starts, gaps, places, steps_s)
    at = gaps[places - 1]
    # Blinks that touch are parts of one dwell: there was no wait.
    waited = gaps > 0
    ratio = _log_lomax(at, USUAL_WAIT_S, NEW_SHAPE) - _log_lomax(at, old_s, OLD_SHAPE)
    ratio = np.where(waited[places - 1], ratio, 0.0)
    behind = np.zeros(len(places))
    shape, span_s = NEW_SHAPE + waited[places - 1], NEW_SHAPE * USUAL_WAIT_S + at
    for k in range(MOST_WAITS):
        here = places + k
        wait = np.where(here < len(gaps), gaps[np.minimum(here, len(gaps) - 1)], 0.0)
        inside = wait > 0
        new = _log_lomax(wait, span_s / shape, shape) - _log_lomax(wait, old_s, OLD_SHAPE)
        behind += np.where(inside, new, 0.0)
        shape, span_s = shape + inside, span_s + wait
    if now_s is not None and now_s > stops[-1]:
        open_s = np.where(len(marks) - places <= MOST_WAITS, now_s - stops[-1], 0.0)
        behind += _log_longer(open_s, span_s / shape, shape) - _log_longer(open_s, old_s, OLD_SHAPE)
    return np.asarray(np.where(crossed, 0.0, ratio + np.clip(behind, -MOST_AGAINST, MOST_FOR)))


def _old_wait(
    starts: FloatArray, gaps: FloatArray, places: NDArray[np.intp], steps_s: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """(p,) mean wait before each place since the last step, and whether that step lies between the blinks."""
    summed = np.concatenate([[0.0, 0.0], np.cumsum(gaps)])
    counted = np.concatenate([[0, 0], np.cumsum(gaps > 0)])
    # summed[i] holds the gaps up to blink i - 1; those of this fluence begin behind its first blink.
    last_step = np.searchsorted(steps_s, starts[places], side="right")
    since = np.concatenate([[-np.inf], steps_s])[last_step]
    first = np.minimum(np.searchsorted(starts, since), places - 1)
    number = counted[places] - counted[first + 1]
    old_s = (summed[places] - summed[first + 1] + USUAL_WAIT_S) / (number + 1)
    return np.asarray(old_s), np.asarray(since > starts[places - 1])


def _log_lomax(wait: FloatArray, mean_s: FloatArray | float, shape: FloatArray | float) -> FloatArray:
    """Log density of a wait whose rate is Gamma distributed with this shape, of mean 1 / mean_s."""
    return np.asarray(-np.log(mean_s) - (np.asarray(shape) + 1) * np.log1p(wait / (shape * mean_s)))


def _log_longer(wait: FloatArray, mean_s: FloatArray, shape: FloatArray | float) -> FloatArray:
    """Log of the chance of a longer wait."""
    return np.asarray(-shape * np.log1p(wait / (shape * mean_s)))
