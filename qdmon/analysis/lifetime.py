"""Maximum-likelihood lifetime of few photons: one exponential in a pulse window, known background."""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.timing import MicroBins

__all__ = ["lifetime_mle"]

FloatArray = NDArray[np.float64]


def lifetime_mle(
    histogram: FloatArray,
    background: FloatArray,
    bins: MicroBins,
    *,
    gated: bool = True,
    guess_ns: float | None = None,
) -> tuple[float, float] | None:
    """Lifetime and its standard error from a coarse decay, both in ns.

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
    return tau, tau / float(np.sqrt(-curvature))
