"""A sticky hidden Markov chain: a state is kept, or left for one drawn by weight whatever it was.

P = (1 - leaving) I + leaving 1 weights': a rank-one jump, so a step costs O(k) and not O(k^2) (science
notes 2.3). The forward-backward pass gives the exact posterior of every bin, and what expectation
maximisation needs of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit

__all__ = ["Chain", "Smoothed", "learn"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

_LEAST_WEIGHT = 1e-7
# Bins that a state must hold to be looked at again.
_LEAST_TIME = 0.02
_LEAVING_RANGE = (1e-4, 0.97)


@dataclass(frozen=True, slots=True)
class Chain:
    """Dynamics of k states.

    Attributes:
        weights: (k,) where a jump goes.
        leaving: (k,) chance per bin that the state is left.
    """

    weights: FloatArray
    leaving: FloatArray

    def restricted(self, states: NDArray[np.bool_]) -> "Chain":
        """The same chain on some of its states."""
        weights = np.maximum(self.weights[states], 1e-4)
        return Chain(weights / weights.sum(), self.leaving[states])


@dataclass(frozen=True)
class Smoothed:
    """What the data say under a chain.

    Attributes:
        chain: as learned.
        posterior: (n, k) float32, probability of each state in each bin.
        log_likelihood: of all bins.
    """

    chain: Chain
    posterior: Float32Array
    log_likelihood: float


@jit
def _forward_backward(
    likelihood: Float32Array,
    weights: FloatArray,
    leaving: FloatArray,
    posterior: Float32Array,
    sums: FloatArray,
) -> float:
    """Fill the posterior and (3, k) sums: time in each state, jumps into it, jumps out of it.

    The first bin counts as a jump into its state: it is drawn by the same weights. Sums are taken in
    order: with any other the last digits depend on where the arrays lie in memory.
    """
    n, k = likelihood.shape
    alpha = np.empty((n, k))
    scale = np.empty(n)
    s = 0.0
    for j in range(k):
        alpha[0, j] = weights[j] * likelihood[0, j]
        s += alpha[0, j]
    for j in range(k):
        alpha[0, j] /= s
    log_likelihood = np.log(s)
    for t in range(1, n):
        jumping = 0.0
        for j in range(k):
            jumping += leaving[j] * alpha[t - 1, j]
        s = 0.0
        for j in range(k):
            a = ((1.0 - leaving[j]) * alpha[t - 1, j] + weights[j] * jumping) * likelihood[t, j]
            alpha[t, j] = a
            s += a
        inverse = 1.0 / s
        for j in range(k):
            alpha[t, j] *= inverse
        scale[t] = s
        log_likelihood += np.log(s)
    beta = np.ones(k)
    ahead = np.empty(k)
    for j in range(k):
        posterior[n - 1, j] = alpha[n - 1, j]
        sums[0, j] += alpha[n - 1, j]
    for t in range(n - 1, 0, -1):
        inverse = 1.0 / scale[t]
        into = 0.0
        jumping = 0.0
        for j in range(k):
            x = likelihood[t, j] * beta[j] * inverse
            ahead[j] = x
            into += weights[j] * x
            jumping += leaving[j] * alpha[t - 1, j]
        for j in range(k):
            out = leaving[j] * into
            sums[1, j] += jumping * weights[j] * ahead[j]
            sums[2, j] += alpha[t - 1, j] * out
            beta[j] = (1.0 - leaving[j]) * ahead[j] + out
            here = alpha[t - 1, j] * beta[j]
            posterior[t - 1, j] = here
            sums[0, j] += here
    for j in range(k):
        sums[1, j] += posterior[0, j]
    return float(log_likelihood)


def learn(
    likelihood: Float32Array,
    log_scale: float,
    chain: Chain,
    prior: tuple[FloatArray, FloatArray],
    steps: int,
) -> Smoothed:
    """Posterior of every bin after some steps of expectation maximisation of the chain.

    Args:
        likelihood: (n, k) of each bin under each state, rows scaled to a maximum of 1 and bounded below.
        log_scale: sum of the logarithms of the rows' scales.
        chain: to start from.
        prior: Beta prior of `leaving`: pseudo-counts (k,) of leaving and of staying.
        steps: of expectation maximisation; 0 only smooths.
    """
    n, k = likelihood.shape
    seen, part = np.arange(k), likelihood
    weights, leaving = chain.weights, chain.leaving
    for step in range(steps + 1):
        posterior = np.empty(part.shape, np.float32)
        sums = np.zeros((3, len(seen)))
        log_likelihood = _forward_backward(part, weights[seen], leaving[seen], posterior, sums)
        if step < steps:
            spent, into, out = sums
            weights = np.full(k, _LEAST_WEIGHT)
            weights[seen] = np.maximum(into / max(float(into.sum()), 1e-12), _LEAST_WEIGHT)
            weights /= weights.sum()
            leaving = leaving.copy()
            # Nobody saw what came after the last bin.
            tries = spent - posterior[-1] + prior[0][seen] + prior[1][seen]
            leaving[seen] = np.clip((out + prior[0][seen]) / np.maximum(tries, 1e-12), *_LEAVING_RANGE)
            # States that hold next to nothing cost as much as the others and get no more of it.
            kept = spent > _LEAST_TIME
            if not kept.all():
                seen, part = seen[kept], np.ascontiguousarray(part[:, kept])
    whole = posterior
    if len(seen) < k:
        whole = np.zeros((n, k), np.float32)
        whole[:, seen] = posterior
    return Smoothed(Chain(weights, leaving), whole, log_likelihood + log_scale)
