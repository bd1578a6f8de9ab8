"""Blinks of one kind come in runs: the likelihood of a share, whatever the runs.

Charging and neutral dwells follow power laws: a long neutral dwell of a mixed dot holds many trap blinks, a
burst of charging many Auger blinks, and neither is a change of its law. The kinds of blinks are therefore
taken for a renewal process: a run of blinks ends with every blink with chance (1 - r)(1 - s) if they are
Auger and (1 - r) s if they are traps, s being the share of Auger blinks in the long run and r the
persistence. r = 0 are independent blinks. It is the same throughout in one family, drawn anew for every run
in another: runs of all lengths, as power laws make them. Which it is, a dot tells by its own blinks.
"""

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from qdmon.analysis.conversion.shares import SHARES

__all__ = ["INFLATION", "LOG_FAMILY", "log_likelihood", "log_likelihood_behind"]

FloatArray = NDArray[np.float64]

_PERSISTENCE = np.array([0.0, 0.5, 0.8, 0.93])
# Chance that a new run is of each persistence: one for all runs, or runs of all lengths.
_NEW_RUN = np.concatenate([np.eye(len(_PERSISTENCE)), [[0.5, 0.25, 0.15, 0.1]]])
# A few runs tell that a dot has them, whatever the weight. It is so small that a dot of which all blinks were
# of one kind can still be seen to change out of the blue by half a dozen others.
_RUNS = 7e-4
LOG_FAMILY: FloatArray = np.log([1 - 4 * _RUNS, _RUNS, _RUNS, _RUNS, _RUNS])
# Share of the blinks that are in runs of each persistence.
_BLINKS = _NEW_RUN / (1 - _PERSISTENCE)
_PART = _BLINKS / _BLINKS.sum(axis=1, keepdims=True)
# Variance of a number of blinks of one kind, over that of independent ones.
INFLATION: FloatArray = _PART @ ((1 + _PERSISTENCE) / (1 - _PERSISTENCE))
# Of Auger blinks and of traps: (2, f, r, k) chance to begin in a run of each persistence, at each share, and
# (2, r, k) chance that it ends with a blink and a run of the other kind follows.
_FIRST_RUN = np.array([_PART[:, :, None] * SHARES, _PART[:, :, None] * (1 - SHARES)])
_LEAVING = np.array([np.outer(1 - _PERSISTENCE, 1 - SHARES), np.outer(1 - _PERSISTENCE, SHARES)])
# However clear the photons, a blink is read wrong by other causes this often.
MISREAD = 1e-5


def log_likelihood(odds: FloatArray) -> FloatArray:
    """(n + 1, f, k) cumulated log-likelihood of blinks under each family and share, up to a constant.

    Args:
        odds: (n,) log-likelihood ratio of the photons of each, Auger against trap.
    """
    auger = np.logaddexp(odds + np.log1p(-MISREAD), np.log(MISREAD))
    trap = np.logaddexp(odds + np.log(MISREAD), np.log1p(-MISREAD))
    top = np.maximum(auger, trap)
    found = np.empty((len(odds) + 1, len(_NEW_RUN), len(SHARES)))
    found[0] = 0.0
    each = found[1:]
    _forward(np.exp(auger - top), np.exp(trap - top), _NEW_RUN, _FIRST_RUN, _LEAVING, each)
    np.log(each, out=each)
    _add_up(found, top)
    return found


def log_likelihood_behind(odds: FloatArray) -> FloatArray:
    """(n + 1, f, k) the same of the blinks from each on: a process of runs is the same backwards."""
    return log_likelihood(odds[::-1])[::-1]


@jit
def _add_up(found: FloatArray, top: FloatArray) -> None:
    """Cumulate (n + 1, f, k) `found`, to whose rows but the first (n,) `top` is added; row by row is fast."""
    several = np.uint64(found.shape[2])
    for m in range(len(top)):
        for f in range(found.shape[1]):
            for k in range(several):
                found[m + 1, f, k] = found[m, f, k] + (found[m + 1, f, k] + top[m])


@jit
def _forward(
    auger: FloatArray,
    trap: FloatArray,
    new_run: FloatArray,
    first_run: FloatArray,
    leaving: FloatArray,
    found: FloatArray,
) -> None:
    """Fill (n, f, k) `found` with the likelihood of each blink by those before.

    Shares are the innermost loops: they know nothing of each other, so that several are reckoned at once.

    Args:
        auger: (n,) likelihood of each blink if it is one.
        trap: (n,) likewise.
        new_run: (f, r) chance that a new run is of each persistence.
        first_run: (2, f, r, k) chance that the first blink is in a run of each kind and persistence.
        leaving: (2, r, k) chance that a run of either kind ends with a blink and the other kind follows.
        found: filled.
    """
    several = np.uint64(found.shape[2])
    in_auger, in_trap = np.empty(leaving.shape[1:]), np.empty(leaving.shape[1:])
    total, left_auger, left_trap = np.empty(several), np.empty(several), np.empty(several)
    for f in range(len(new_run)):
        for r in range(len(in_auger)):
            for k in range(several):
                in_auger[r, k], in_trap[r, k] = first_run[0, f, r, k], first_run[1, f, r, k]
        for m in range(len(auger)):
            for k in range(several):
                total[k], left_auger[k], left_trap[k] = 0.0, 0.0, 0.0
            for r in range(len(in_auger)):
                if new_run[f, r] == 0:
                    continue
                for k in range(several):
                    in_auger[r, k] *= auger[m]
                    in_trap[r, k] *= trap[m]
                    total[k] += in_auger[r, k] + in_trap[r, k]
                    left_auger[k] += in_auger[r, k] * leaving[0, r, k]
                    left_trap[k] += in_trap[r, k] * leaving[1, r, k]
            for r in range(len(in_auger)):
                new = new_run[f, r]
                if new == 0:
                    continue
                for k in range(several):
                    stayed_auger = in_auger[r, k] * (1 - leaving[0, r, k])
                    stayed_trap = in_trap[r, k] * (1 - leaving[1, r, k])
                    in_auger[r, k] = (stayed_auger + left_trap[k] * new) / total[k]
                    in_trap[r, k] = (stayed_trap + left_auger[k] * new) / total[k]
            for k in range(several):
                found[m, f, k] = total[k]
