"""Maximum-likelihood lifetime of few photons: one exponential in a pulse window, known background."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.timing import MicroBins

__all__ = ["LifetimeFit", "lifetime_mle", "lifetime_with_floor"]

FloatArray = NDArray[np.float64]


# A floor under the decay beyond the background is believed from three standard deviations on.
FLOORS = (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06)
LEAST_GAIN = 4.5


@dataclass(frozen=True, slots=True)
class LifetimeFit:
    """One exponential.

    Attributes:
        tau_ns: lifetime.
        error_ns: standard error.
        log_likelihood: of the photons' distribution over the bins.
    """

    tau_ns: float
    error_ns: float
    log_likelihood: float


def lifetime_with_floor(histogram: FloatArray, background: FloatArray, bins: MicroBins) -> LifetimeFit | None:
    """Lifetime of a level; a share of its light that comes late is allowed where the photons ask for it."""
    plain = lifetime_mle(histogram, background, bins)
    if plain is None:
        return None
    floors = [
        lifetime_mle(histogram, background, replace(bins, delayed=bins.delayed + f), guess_ns=plain.tau_ns)
        for f in FLOORS
    ]
    best = max((f for f in floors if f is not None), key=lambda f: f.log_likelihood, default=plain)
    return best if best.log_likelihood - plain.log_likelihood > LEAST_GAIN else plain


def lifetime_mle(
    histogram: FloatArray,
    background: FloatArray,
    bins: MicroBins,
    *,
    gated: bool = True,
    guess_ns: float | None = None,
) -> LifetimeFit | None:
    """Lifetime of one exponential from a coarse decay with a known background.

    The amplitude is eliminated by taking the photons as given (conditional likelihood), so only the
    shape counts. The maximum is bracketed on a grid, then refined by parabolas.

    Args:
        histogram: (m,) photons per micro-bin.
        background: (m,) expected background photons per micro-bin.
        bins: the micro-bins.
        gated: leave out bin 0, which holds prompt light.
        guess_ns: search within a factor 4 of it first; None searches all of the window.

    Returns:
        None where fewer than 10 net photons leave nothing to fit.
    """
    first = 1 if gated else 0
    n = np.asarray(histogram, np.float64)[first:]
    b = np.asarray(background, np.float64)[first:]
    total = float(n.sum())
    net = total - float(b.sum())
    if net < 10 or net < 3 * np.sqrt(total):
        return None

    def log_likelihood(log_tau: FloatArray) -> FloatArray:
        share = bins.share_of(np.exp(log_tau))[:, first:]
        shape = share / share.sum(axis=1, keepdims=True)
        return np.asarray(np.log(net * shape + b + 1e-12) @ n)

    low, high = np.log(0.004 * bins.period_ns), np.log(0.7 * bins.period_ns)
    if guess_ns is not None:
        low, high = max(low, np.log(guess_ns / 4)), min(high, np.log(guess_ns * 4))
    grid = np.linspace(low, high, 33)
    for _ in range(3):
        value = log_likelihood(grid)
        i = int(np.clip(np.argmax(value), 1, len(grid) - 2))
        step = grid[1] - grid[0]
        grid = np.linspace(grid[i] - step, grid[i] + step, 9)
    value = log_likelihood(grid)
    i = int(np.clip(np.argmax(value), 1, len(grid) - 2))
    step = grid[1] - grid[0]
    curvature = (value[i - 1] - 2 * value[i] + value[i + 1]) / step**2
    slope = (value[i + 1] - value[i - 1]) / (2 * step)
    if curvature >= 0:
        return None
    tau = float(np.exp(grid[i] - np.clip(slope / curvature, -step, step)))
    return LifetimeFit(tau, tau / float(np.sqrt(-curvature)), float(value[i]))
