"""Uniform background from the decays: what no lifetime up to the bright one can explain.

The dot's dim stretches have short lifetimes, so the end of their pulse period is nearly pure background;
the bright stretches fix the longest lifetime. Both share one background rate.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from qdmon.analysis.lifetime import lifetime_mle
from qdmon.analysis.timing import MicroBins

__all__ = ["estimate_background_cps", "intensity_groups"]

FloatArray = NDArray[np.float64]


def intensity_groups(counts: NDArray[np.float32], bin_s: float) -> tuple[FloatArray, FloatArray]:
    """Decays of the dimmest, middle and brightest bins.

    Args:
        counts: (n, m) photons per time bin and micro-bin.
        bin_s: duration of a time bin.

    Returns:
        (3, m) summed decays and (3,) seconds behind each.
    """
    order = np.argsort(counts[:, 1:].sum(axis=1), kind="stable")
    thirds = np.array_split(order, 3)
    decays = np.array([counts[third].sum(axis=0, dtype=np.float64) for third in thirds])
    return decays, np.array([len(third) * bin_s for third in thirds])


def estimate_background_cps(decays: FloatArray, seconds: FloatArray, bins: MicroBins) -> float | None:
    """Background rate of the detectors together; None where the photons cannot tell.

    Args:
        decays: (g, m) summed decays of groups of time bins that differ in brightness.
        seconds: (g,) time behind each.
        bins: the micro-bins; bin 0 is left out.
    """
    groups, m = decays.shape
    total = decays[:, 1:].sum()
    if total < 3000 or seconds.min() <= 0:
        return None
    uniform = bins.uniform_share
    background_cps = 0.0
    for _ in range(4):
        longest = lifetime_mle(decays[-1], background_cps * seconds[-1] * uniform, bins)
        if longest is None or longest[0] > 0.35 * bins.period_ns:
            return None
        taus = longest[0] * np.exp(np.linspace(np.log(0.03), 0.0, 16))
        shares = bins.share_of(taus)[:, 1:]
        model = np.zeros((groups * (m - 1), groups * len(taus) + 1))
        for g in range(groups):
            rows = slice(g * (m - 1), (g + 1) * (m - 1))
            model[rows, g * len(taus) : (g + 1) * len(taus)] = shares.T
            model[rows, -1] = seconds[g] * uniform[1:]
        data = decays[:, 1:].ravel()
        expected = data
        for _ in range(3):
            # Weights from the model, not the data: Neyman's weights are biased for few counts.
            weight = 1 / np.sqrt(np.maximum(expected, 1.0))
            solution, _ = nnls(model * weight[:, None], data * weight)
            expected = model @ solution
        background_cps = float(solution[-1])
    return background_cps
