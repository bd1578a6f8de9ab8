"""Blinks of one kind come in runs: the likelihood of a share, whatever the runs.

Charging and neutral dwells follow power laws: a long neutral dwell of a mixed dot holds many trap blinks, a
burst of charging many Auger blinks, and neither is a change of its law. The kinds of blinks are therefore
taken for a renewal process: a run of blinks ends with every blink with chance (1 - r)(1 - s) if they are
Auger and (1 - r) s if they are traps, s being the share of Auger blinks in the long run and r the
persistence. r = 0 are independent blinks. It is the same throughout in one family, drawn anew for every run
in another: runs of all lengths, as power laws make them. Which it is, a dot tells by its own blinks.
"""

from collections.abc import Sequence
from typing import Protocol

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
# Variance of a number of blinks of one kind, over that of independent ones.
INFLATION: FloatArray = (_BLINKS / _BLINKS.sum(axis=1, keepdims=True)) @ (
    (1 + _PERSISTENCE) / (1 - _PERSISTENCE)
)
# However clear the photons, a blink is read wrong by other causes this often.
MISREAD = 1e-5


class _Read(Protocol):
    @property
    def odds(self) -> float: ...


def log_likelihood(marks: Sequence[_Read]) -> FloatArray:
    """(n + 1, f, k) cumulated log-likelihood of blinks under each family and share, up to a constant.

    Args:
        marks: n blinks with the log-likelihood ratio of their photons, Auger against trap.
    """
    return _cumulated(np.array([m.odds for m in marks], np.float64))


def log_likelihood_behind(marks: Sequence[_Read]) -> FloatArray:
    """(n + 1, f, k) the same of the blinks from each on: a process of runs is the same backwards."""
    return _cumulated(np.array([m.odds for m in marks], np.float64)[::-1])[::-1]


def _cumulated(odds: FloatArray) -> FloatArray:
    auger = np.logaddexp(odds + np.log1p(-MISREAD), np.log(MISREAD))
    trap = np.logaddexp(odds + np.log(MISREAD), np.log1p(-MISREAD))
    top = np.maximum(auger, trap)
    found = np.zeros((len(odds) + 1, len(_NEW_RUN), len(SHARES)))
    _forward(np.exp(auger - top), np.exp(trap - top), SHARES, _PERSISTENCE, _NEW_RUN, found)
    found[1:] += np.cumsum(top)[:, None, None]
    return found


@jit
def _forward(
    auger: FloatArray,
    trap: FloatArray,
    shares: FloatArray,
    persistence: FloatArray,
    new_run: FloatArray,
    found: FloatArray,
) -> None:
    """Fill (n + 1, f, k) `found` with cumulated log-likelihoods; blinks are likelihoods of either kind."""
    stay_auger, stay_trap = np.empty(len(persistence)), np.empty(len(persistence))
    in_auger, in_trap = np.empty(len(persistence)), np.empty(len(persistence))
    live = np.empty(len(persistence), np.intp)
    for f in range(len(new_run)):
        n_live, norm = 0, 0.0
        for j in range(len(persistence)):
            if new_run[f, j] > 0:
                live[n_live] = j
                n_live += 1
                norm += new_run[f, j] / (1 - persistence[j])
        for k in range(len(shares)):
            for i in range(n_live):
                j = live[i]
                part = new_run[f, j] / (1 - persistence[j]) / norm
                in_auger[i], in_trap[i] = shares[k] * part, (1 - shares[k]) * part
                stay_auger[i] = 1 - (1 - shares[k]) * (1 - persistence[j])
                stay_trap[i] = 1 - shares[k] * (1 - persistence[j])
            log_l = 0.0
            for m in range(len(auger)):
                total = 0.0
                for i in range(n_live):
                    in_auger[i] *= auger[m]
                    in_trap[i] *= trap[m]
                    total += in_auger[i] + in_trap[i]
                log_l += np.log(total)
                found[m + 1, f, k] = log_l
                left_auger, left_trap = 0.0, 0.0
                for i in range(n_live):
                    left_auger += in_auger[i] * (1 - stay_auger[i])
                    left_trap += in_trap[i] * (1 - stay_trap[i])
                for i in range(n_live):
                    new = new_run[f, live[i]]
                    in_auger[i] = (in_auger[i] * stay_auger[i] + left_trap * new) / total
                    in_trap[i] = (in_trap[i] * stay_trap[i] + left_auger * new) / total
