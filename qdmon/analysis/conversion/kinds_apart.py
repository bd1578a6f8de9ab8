"""What the times of blinks say of a change, each kind of blink by itself.

That blinks come one after the other, each of either kind by chance, is one law; that charging and trapping
know nothing of each other is another. A burst of trap blinks before the dot has charged for the first time
makes a long row of one kind, and so do traps that rest: in time, neither is much. Here a kind that comes more
often behind a place is weighed by the rate of its blinks (Poisson, its rate Gamma distributed), and one that
stays away by how long its own waits were before.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln

from qdmon.analysis.conversion.regimes import Columns
from qdmon.analysis.conversion.waits import USUAL_WAIT_S, log_longer_waits

__all__ = ["log_apart"]

FloatArray = NDArray[np.float64]

# Shape of the prior of a rate.
SHAPE = 0.5


def log_apart(blinks: Columns, places: NDArray[np.intp], now_s: float | None) -> FloatArray:
    """(p,) log-likelihood ratio of a change at each place, by the times of each kind of blink.

    Args:
        blinks: in order of time.
        places: (p,) first blink behind it.
        now_s: how far one has looked; as far as the last blink if not given.
    """
    starts, stops = blinks.start_s, blinks.stop_s
    end_s = max(float(stops[-1]), now_s or 0.0)
    auger = expit(blinks.odds)
    found = np.zeros(len(places))
    for weight in (auger, 1 - auger):
        found += _more_often(starts, stops, weight, places, end_s)
        found += _stays_away(starts, stops, weight > 0.5, places, end_s)
    return found


def _more_often(
    starts: FloatArray, stops: FloatArray, weight: FloatArray, places: NDArray[np.intp], end_s: float
) -> FloatArray:
    """(p,) log Bayes factor of a higher rate of one kind behind each place, 0 where it is not."""
    number = np.concatenate([[0.0], np.cumsum(weight)])
    dim_s = np.concatenate([[0.0], np.cumsum(weight * (stops - starts))])
    n1, n2 = number[places], number[-1] - number[places]
    t1 = np.maximum(starts[places] - starts[0] - dim_s[places], 0.0)
    t2 = np.maximum(end_s - starts[places] - (dim_s[-1] - dim_s[places]), 0.0)
    ratio = _log_marginal(n1, t1) + _log_marginal(n2, t2) - _log_marginal(n1 + n2, t1 + t2)
    return np.where(n2 * t1 > n1 * t2, np.maximum(ratio, 0.0), 0.0)


def _log_marginal(number: FloatArray, time_s: FloatArray) -> FloatArray:
    """Of so many blinks in a time, up to what a split of them does not change."""
    return np.asarray(
        gammaln(number + SHAPE)
        - gammaln(SHAPE)
        + SHAPE * np.log(USUAL_WAIT_S)
        - (number + SHAPE) * np.log(time_s + USUAL_WAIT_S)
    )


def _stays_away(
    starts: FloatArray, stops: FloatArray, own: NDArray[np.bool_], places: NDArray[np.intp], end_s: float
) -> FloatArray:
    """(p,) how unlikely it was, by the waits before, that a kind stays away so long at each place."""
    begun, over = starts[own], stops[own]
    if len(begun) < 2:
        return np.zeros(len(places))
    gaps = np.maximum(np.append(begun[1:], end_s) - over, 0.0)
    last = np.cumsum(own)[places - 1] - 1
    known = last >= 1
    at = np.maximum(last, 1)
    return np.where(known, -log_longer_waits(np.append(begun, end_s), gaps, at), 0.0)
