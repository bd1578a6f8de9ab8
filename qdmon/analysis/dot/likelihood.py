"""Likelihood of every time bin under every state of a dot, bounded where no state explains a bin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from qdmon.analysis.dot.binned import BinnedDecays, collected
from qdmon.analysis.dot.states import DotModel

__all__ = ["BinLikelihoods", "bin_likelihoods", "highest"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

# No state is excluded by a single bin.
LEAST_LOG_LIKELIHOOD = -40.0
# A bin that no state explains (a lamp, a spark) counts for so much and no more. In log-likelihood below
# the best there could be; half the number of micro-bins is usual.
MOST_UNEXPLAINED = 40.0


@dataclass(frozen=True, slots=True)
class BinLikelihoods:
    """Of each bin under each state.

    Attributes:
        scaled: (n, k) likelihoods, rows scaled to a maximum of 1 and bounded below.
        log_scale: sum of the logarithms of the rows' scales.
        trust: (n,) float32, 1 for a bin that some state explains, less for others.
    """

    scaled: Float32Array
    log_scale: float
    trust: Float32Array


def bin_likelihoods(data: BinnedDecays, dot: DotModel, states: NDArray[np.bool_]) -> BinLikelihoods:
    """Poisson likelihood of every bin under some states of a dot.

    A bin whose photons are unlike those of all states is tempered, so that its share in everything that
    follows stays bounded however many photons it has.

    Args:
        data: n bins.
        dot: what states it has.
        states: bool, the k of them that are possible.
    """
    expected, steady = data.expected(dot)[states, 1:] + 1e-9, data.steady_part(dot)[1:]
    best = data.best_log_likelihood
    scaled = np.empty((len(best), len(expected)), np.float32)
    scale, trust = np.empty(len(best), np.float32), np.empty(len(best), np.float32)
    for gain, part in data.runs():
        mu = expected if gain == 1 else collected(expected, steady, gain)
        np.matmul(data.fitted[part], np.log(mu).T.astype(np.float32), out=scaled[part])
        _temper(scaled[part], mu.sum(axis=1).astype(np.float32), best[part], scale[part], trust[part])
    np.exp(scaled, out=scaled)
    log_scale = float((best - np.minimum(best - scale, MOST_UNEXPLAINED)).sum())
    return BinLikelihoods(scaled, log_scale, trust)


@jit
def highest(row: Float32Array) -> np.float32:
    """The highest of some numbers, in four parts: one after the other would wait for each."""
    n = np.uint64(len(row))
    whole = n - n % np.uint64(4)
    h0 = h1 = h2 = h3 = row[0]
    for j in range(np.uint64(0), whole, np.uint64(4)):
        h0, h1 = max(h0, row[j]), max(h1, row[j + np.uint64(1)])
        h2, h3 = max(h2, row[j + np.uint64(2)]), max(h3, row[j + np.uint64(3)])
    for j in range(whole, n):
        h0 = max(h0, row[j])
    return max(h0, h1, h2, h3)


@jit
def _temper(
    log_l: Float32Array, photons: Float32Array, best: FloatArray, scale: Float32Array, trust: Float32Array
) -> None:
    """From what the bins' own photons say to log-likelihoods below the best state's, tempered and bounded.

    Args:
        log_l: (n, k) changed in place.
        photons: (k,) expected per bin.
        best: (n,) `BinnedDecays.best_log_likelihood`.
        scale: (n,) filled with the log-likelihood of the best state.
        trust: (n,) filled, see `BinLikelihoods`.
    """
    n, k = np.uint64(log_l.shape[0]), np.uint64(log_l.shape[1])
    row = np.empty(k, np.float32)
    for i in range(n):
        for j in range(k):
            row[j] = log_l[i, j] - photons[j]
        top = highest(row)
        unexplained = max(best[i] - top, MOST_UNEXPLAINED)
        scale[i], trust[i] = top, MOST_UNEXPLAINED / unexplained
        for j in range(k):
            log_l[i, j] = max((row[j] - top) * trust[i], np.float32(LEAST_LOG_LIKELIHOOD))
