"""A sticky hidden Markov chain: a state is kept, or left for one drawn by weight whatever it was.

P = (1 - leaving) I + leaving 1 weights': a rank-one jump, so a step costs O(k) and not O(k^2) (science
notes 2.3). The forward-backward pass gives the exact posterior of every bin, and what expectation
maximisation needs of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit, jit_sums

__all__ = ["Chain", "Smoothed", "learn", "log_evidence"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

_LEAST_WEIGHT = 1e-7
# Bins that a state must hold to be looked at again.
_LEAST_TIME = 0.05
# Bins in which the dot switched do not last: steady light between two levels is a level.
_LEAST_SWITCHING = 0.7
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
        spent: (k,) its sum over the bins.
        log_likelihood: of all bins.
    """

    chain: Chain
    posterior: Float32Array
    spent: FloatArray
    log_likelihood: float


@jit_sums
def _dot(a: FloatArray, b: FloatArray) -> float:
    """Scalar product."""
    total = 0.0
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@jit_sums
def _sum_and_dot(a: FloatArray, b: FloatArray) -> tuple[float, float]:
    """Sum of b and scalar product: b is read once."""
    total, product = 0.0, 0.0
    for j in range(len(a)):
        total += b[j]
        product += a[j] * b[j]
    return total, product


@jit
def _forward(
    likelihood: Float32Array, weights: FloatArray, leaving: FloatArray, alpha: FloatArray, scale: FloatArray
) -> float:
    """Fill (n, k) `alpha`, chance of each state by what came up to its bin, and (n,) what it was scaled by.

    Returns:
        The log-likelihood of all bins.
    """
    n, k = np.uint64(likelihood.shape[0]), np.uint64(likelihood.shape[1])
    stay = 1.0 - leaving
    # Before the first bin there is a jump: it is drawn by the weights.
    now = np.zeros(k)
    jumping, inverse = 1.0, 1.0
    log_likelihood, product = 0.0, 1.0
    for t in range(n):
        for j in range(k):
            now[j] = (stay[j] * now[j] + weights[j] * jumping) * (likelihood[t, j] * inverse)
        total, jumping = _sum_and_dot(leaving, now)
        inverse = 1.0 / total
        for j in range(k):
            alpha[t, j] = now[j] * inverse
        scale[t] = inverse
        # A logarithm costs as much as a short row: one is taken of many.
        product *= total
        if product < 1e-200:
            log_likelihood += np.log(product)
            product = 1.0
    return float(log_likelihood + np.log(product))


@jit
def _backward(
    likelihood: Float32Array,
    weights: FloatArray,
    leaving: FloatArray,
    alpha: FloatArray,
    scale: FloatArray,
    rows: NDArray[np.uint64],
    columns: NDArray[np.uint64],
    posterior: Float32Array,
) -> FloatArray:
    """What later bins add to `_forward`.

    Args:
        likelihood: (n, k).
        weights: (k,) of the chain.
        leaving: (k,) of the chain.
        alpha: (n, k) from `_forward`.
        scale: (n,) from `_forward`.
        rows: (n,) n-1, ..., 0. (A loop that counts down itself is not compiled to vector instructions.)
        columns: (k,) of the posterior to fill.
        posterior: (n, K), filled; (0, K) where it is not wanted.

    Returns:
        (2, k) bins spent in each state, and those of them that were followed by one without a jump.
    """
    n, k = np.uint64(likelihood.shape[0]), np.uint64(likelihood.shape[1])
    wanted = len(posterior) > 0
    stay = 1.0 - leaving
    beta, ahead, here = np.ones(k), np.empty(k), np.empty(k)
    spent, stayed = np.zeros(k), np.zeros(k)
    for j in range(k):
        spent[j] = alpha[rows[0], j]
        if wanted:
            posterior[rows[0], columns[j]] = spent[j]
    for i in range(n - np.uint64(1)):
        t, before = rows[i], rows[i + np.uint64(1)]
        inverse = scale[t]
        for j in range(k):
            ahead[j] = likelihood[t, j] * beta[j] * inverse
        for j in range(k):
            here[j] = alpha[before, j]
        into = _dot(weights, ahead)
        for j in range(k):
            later = stay[j] * ahead[j] + leaving[j] * into
            stayed[j] += here[j] * ahead[j]
            spent[j] += here[j] * later
            beta[j] = later
        if wanted:
            for j in range(k):
                posterior[before, columns[j]] = here[j] * beta[j]
    sums = np.empty((2, k))
    for j in range(k):
        sums[0, j] = spent[j]
        sums[1, j] = stayed[j] * stay[j]
    return sums


@jit
def _taken(likelihood: Float32Array, columns: NDArray[np.uint64]) -> Float32Array:
    """(n, c) some columns."""
    taken = np.empty((len(likelihood), len(columns)), np.float32)
    for t in range(np.uint64(len(likelihood))):
        for j in range(np.uint64(len(columns))):
            taken[t, j] = likelihood[t, columns[j]]
    return taken


@jit
def log_evidence(likelihood: Float32Array, weights: FloatArray, leaving: FloatArray) -> float:
    """Of all bins under a `Chain` that is known; (n, k) likelihoods as in `learn`."""
    alpha, scale = np.empty(likelihood.shape), np.empty(len(likelihood))
    return _forward(likelihood, weights, leaving, alpha, scale)


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
        prior: Beta prior of `leaving`: pseudo-counts (k,) of leaving and of staying. States that are
            expected to be left sooner than kept are never kept for long.
        steps: of expectation maximisation; 0 only smooths.
    """
    learned = _learned(likelihood, chain.weights, chain.leaving, prior, steps)
    weights, leaving, posterior, spent, log_l = learned
    return Smoothed(Chain(weights, leaving), posterior, spent, log_l + log_scale)


@jit
def _learned(
    likelihood: Float32Array,
    weights: FloatArray,
    leaving: FloatArray,
    prior: tuple[FloatArray, FloatArray],
    steps: int,
) -> tuple[FloatArray, FloatArray, Float32Array, FloatArray, float]:
    """Weights and chances to leave, posterior, its sums, log-likelihood; the arguments are as in `learn`."""
    n, k = likelihood.shape
    part, seen = likelihood, np.empty(k, np.uint64)
    for j in range(k):
        seen[j] = j
    work, scale, rows = np.empty(n * k), np.empty(n), np.empty(n, np.uint64)
    for t in range(n):
        rows[t] = n - 1 - t
    unwanted = np.zeros((0, k), np.float32)
    for _ in range(steps):
        alpha = work[: part.size].reshape(part.shape)
        _forward(part, _of(weights, seen), _of(leaving, seen), alpha, scale)
        sums = _backward(part, _of(weights, seen), _of(leaving, seen), alpha, scale, rows, seen, unwanted)
        weights, leaving = _moved(leaving, seen, sums, alpha[n - 1], prior)
        # States that hold next to nothing cost as much as the others and get no more of it.
        kept, number = np.empty(len(seen), np.uint64), 0
        for i in range(len(seen)):
            if sums[0, i] > _LEAST_TIME:
                kept[number] = i
                number += 1
        if number < len(seen):
            part = _taken(part, kept[:number])
            for i in range(number):
                kept[i] = seen[kept[i]]
            seen = kept[:number]
    alpha, posterior = work[: part.size].reshape(part.shape), np.zeros((n, k), np.float32)
    log_l = _forward(part, _of(weights, seen), _of(leaving, seen), alpha, scale)
    _backward(part, _of(weights, seen), _of(leaving, seen), alpha, scale, rows, seen, posterior)
    spent = np.zeros(k)
    for t in range(np.uint64(n)):
        for j in range(np.uint64(k)):
            spent[j] += posterior[t, j]
    return weights, leaving, posterior, spent, log_l


@jit
def _of(values: FloatArray, states: NDArray[np.uint64]) -> FloatArray:
    """(c,) those of some states."""
    own = np.empty(len(states))
    for i in range(len(states)):
        own[i] = values[states[i]]
    return own


@jit
def _moved(
    leaving: FloatArray,
    seen: NDArray[np.uint64],
    sums: FloatArray,
    last: FloatArray,
    prior: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """(k,) weights and (k,) chances to leave that fit best to what (c,) seen states of a chain did.

    Args:
        leaving: (k,) before; that of other states is kept.
        seen: (c,) the states.
        sums: (2, c) bins in each, and those of them that were followed by one without a jump.
        last: (c,) chance of each in the last bin: nobody saw what came after.
        prior: as in `learn`.
    """
    weights, leaving = np.empty(len(leaving)), leaving.copy()
    # The first bin counts as a jump into its state.
    every, total = 0.0, 0.0
    for i in range(len(seen)):
        every += sums[0, i] - sums[1, i]
    for j in range(len(weights)):
        weights[j] = _LEAST_WEIGHT
    for i in range(len(seen)):
        spent, into = sums[0, i], sums[0, i] - sums[1, i]
        weights[seen[i]] = max(into / max(every, 1e-12), _LEAST_WEIGHT)
        leave, stay = prior[0][seen[i]], prior[1][seen[i]]
        least = _LEAST_SWITCHING if leave > stay else _LEAVING_RANGE[0]
        chance = (into - last[i] + leave) / max(spent - last[i] + leave + stay, 1e-12)
        leaving[seen[i]] = min(max(chance, least), _LEAVING_RANGE[1])
    for j in range(len(weights)):
        total += weights[j]
    for j in range(len(weights)):
        weights[j] /= total
    return weights, leaving
