"""Fit of the state dictionary to the bins of one dot: weights by EM, parameters by their own photons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.equations import radiative_rate_ratio
from qdmon.analysis.lifetime import lifetime_mle
from qdmon.analysis.states import DotParameters, StateDictionary, trap_and_charge_states
from qdmon.analysis.timing import MicroBins

__all__ = ["BinnedDecays", "DictionaryFit", "fit_dot", "fit_states", "fit_weights"]

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]

BETA_PRIOR = (1.95, 0.25)
BETA_RANGE = (1.4, 2.7)
TRION_RANGE = (0.06, 0.55)
TRION_STARTS = (0.12, 0.2, 0.32)
SEARCH_BINS = 1500


@dataclass(frozen=True)
class BinnedDecays:
    """Coarse decay histograms of consecutive time bins.

    Attributes:
        counts: (n, m) photons per time bin and micro-bin; column 0 is the prompt part, never fitted.
        bin_s: duration of a time bin.
        bins: the micro-bins.
        background_cps: uniform background of the detectors that carry signal, together.
    """

    counts: Float32Array
    bin_s: float
    bins: MicroBins
    background_cps: float

    @property
    def fitted(self) -> Float32Array:
        """(n, m-1) the columns behind the gate."""
        return self.counts[:, 1:]

    @property
    def background(self) -> FloatArray:
        """(m,) expected background photons per time bin and micro-bin."""
        return self.background_cps * self.bin_s * self.bins.uniform_share

    def thinned(self, most: int) -> "BinnedDecays":
        """Every so many bins, so that at most this number is left."""
        step = -(-len(self.counts) // most)
        return BinnedDecays(self.counts[::step], self.bin_s, self.bins, self.background_cps)


@dataclass(frozen=True)
class DictionaryFit:
    """A dictionary with its weights on some bins.

    Attributes:
        dot: parameters behind the dictionary.
        states: the dictionary.
        weights: (k,) share of the time in each state.
        likelihood: (n, k) likelihood of each bin under each state, each row scaled to a maximum of 1.
        log_likelihood: of all bins, up to a constant of the data.
    """

    dot: DotParameters
    states: StateDictionary
    weights: FloatArray
    likelihood: Float32Array
    log_likelihood: float

    def responsibilities(self) -> FloatArray:
        """(n, k) probability of each state in each bin."""
        joint = self.likelihood * self.weights.astype(np.float32)
        return np.asarray(joint / joint.sum(axis=1, keepdims=True), np.float64)


def bin_likelihoods(data: BinnedDecays, states: StateDictionary) -> tuple[Float32Array, FloatArray]:
    """Poisson likelihood of every bin under every state, and the logarithm of each row's scale."""
    expected = (states.signal * data.bin_s + data.background)[:, 1:] + 1e-9
    log_l = data.fitted @ np.log(expected).T.astype(np.float32)
    log_l -= expected.sum(axis=1).astype(np.float32)
    scale = log_l.max(axis=1, keepdims=True)
    np.exp(np.subtract(log_l, scale, out=log_l), out=log_l)
    return log_l, scale[:, 0].astype(np.float64)


def fit_weights(
    data: BinnedDecays, dot: DotParameters, states: StateDictionary, *, start: FloatArray | None, steps: int
) -> DictionaryFit:
    """Maximum-likelihood weights of a dictionary by expectation maximisation."""
    likelihood, scale = bin_likelihoods(data, states)
    k = likelihood.shape[1]
    weights = np.full(k, 1 / k) if start is None else np.maximum(start, 1e-6)
    w = (weights / weights.sum()).astype(np.float32)
    n = len(likelihood)
    for _ in range(steps):
        p = likelihood @ w
        w *= (1 / np.maximum(p, 1e-30)) @ likelihood / n
    total = float(np.log(np.maximum(likelihood @ w, 1e-30)).sum(dtype=np.float64) + scale.sum())
    return DictionaryFit(dot, states, w.astype(np.float64), likelihood, total)


def fit_states(
    data: BinnedDecays, dot: DotParameters, *, steps: int, start: FloatArray | None = None
) -> DictionaryFit:
    """Weights of the trap and charge states of a dot.

    Args:
        data: the bins.
        dot: parameters of the dictionary.
        steps: of expectation maximisation.
        start: weights to start from, if they are of a dictionary with the same states.
    """
    states = trap_and_charge_states(dot, data.bins)
    if start is not None and len(start) != len(states.auger_loss):
        start = None
    return fit_weights(data, dot, states, start=start, steps=steps)


def _bright_level(data: BinnedDecays) -> NDArray[np.bool_] | None:
    """Bins of the brightest level that lasts: a peak of the count distribution with 3 % of the time."""
    counts = data.fitted.sum(axis=1, dtype=np.float64)
    top = float(counts.max(initial=0.0))
    if top < 20:
        return None
    grid = np.exp(np.arange(np.log(8.0), np.log(top * 1.1 + 1), 0.04))
    density = np.empty(len(grid))
    for i, level in enumerate(grid):
        # In units of the shot noise, so that a peak is as wide at every level.
        density[i] = np.exp(-0.5 * np.square(counts - level) / level).sum() / len(counts)
    for i in range(len(grid) - 1, -1, -1):
        higher = density[max(i - 3, 0) : i + 4]
        if density[i] > 0.02 and density[i] >= higher.max():
            return np.asarray(np.abs(counts - grid[i]) < 1.3 * np.sqrt(grid[i]))
    return None


def _level_parameters(
    data: BinnedDecays, weight: FloatArray, guess_ns: float | None = None
) -> tuple[float, float] | None:
    """Net rate (cps) and lifetime (ns) of the photons of some bins, each with a weight."""
    histogram = weight @ data.counts
    bins = float(weight.sum())
    if bins < 0.5:
        return None
    background = data.background * bins
    fit = lifetime_mle(histogram, background, data.bins, guess_ns=guess_ns)
    if fit is None:
        return None
    tau_ns = fit.tau_ns
    gated = float(histogram[1:].sum() - background[1:].sum())
    share = float(data.bins.share_of(np.array([tau_ns]))[0, 1:].sum())
    return gated / share / (bins * data.bin_s), tau_ns


def fit_dot(data: BinnedDecays) -> DictionaryFit | None:
    """Fit traps and charging to the bins; None where no bright level can be found.

    The likelihood has local optima in the trion lifetime, so several are tried, on some of the bins;
    each moves to its own photons, and the best goes on with all of them.
    """
    bright = _bright_level(data)
    level = _level_parameters(data, bright.astype(np.float64)) if bright is not None else None
    if level is None:
        return None
    some = data.thinned(SEARCH_BINS)
    fits = []
    for ratio in TRION_STARTS:
        dot = DotParameters(*level, level[1] * ratio, BETA_PRIOR[0])
        fit = fit_states(some, dot, steps=12)
        for _ in range(2):
            fit = _move(some, fit, steps=12)
        fits.append(fit)
    dot = max(fits, key=lambda f: f.log_likelihood).dot
    fit = fit_states(data, dot, steps=20)
    for steps in (10, 40):
        fit = _move(data, fit, steps=steps)
    return fit


def _move(data: BinnedDecays, fit: DictionaryFit, steps: int) -> DictionaryFit:
    """Move the parameters to the photons of their own bins, then the weights."""
    resp = fit.responsibilities()
    dot = fit.dot
    bright = _level_parameters(data, resp[:, fit.states.bright].sum(axis=1), dot.bright_ns)
    if bright is not None:
        dot = DotParameters(bright[0], bright[1], dot.trion_ns, dot.beta)
    in_trion = resp[:, fit.states.trion].sum(axis=1)
    trion = _level_parameters(data, in_trion, dot.trion_ns) if in_trion.sum() > 1.5 else None
    if trion is not None:
        low, high = (r * dot.bright_ns for r in TRION_RANGE)
        trion_ns = float(np.clip(trion[1], low, high))
        seen = radiative_rate_ratio(dot.bright_cps, dot.bright_ns, trion[0], trion_ns)
        photons = max(float(in_trion @ data.fitted.sum(axis=1)), 1.0)
        sd = max(seen * np.sqrt(2 / photons), 0.01)
        precision = 1 / sd**2, 1 / BETA_PRIOR[1] ** 2
        beta = (seen * precision[0] + BETA_PRIOR[0] * precision[1]) / sum(precision)
        dot = dot.with_trion(trion_ns, float(np.clip(beta, *BETA_RANGE)))
    return fit_states(data, dot, steps=steps, start=fit.weights)
