"""Uniform background from the decays: what no lifetime up to the bright one can explain.

The dot's dim stretches have short lifetimes, so the end of their pulse period is nearly pure background;
the bright stretches fix the longest lifetime. All share one background rate, and one share of the signal
that comes late (after-pulses, slow emission), which grows with the signal where background does not.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.lifetime import lifetime_mle
from qdmon.analysis.nonnegative import fit_counts
from qdmon.analysis.timing import MicroBins

__all__ = ["Floor", "estimate_floor", "intensity_groups"]

FloatArray = NDArray[np.float64]

MOST_DELAYED = 0.08
# The delayed share trades against the background, so it must be asked for: four standard deviations.
LEAST_GAIN = 16.0


@dataclass(frozen=True, slots=True)
class Floor:
    """What lies under the decays.

    Attributes:
        background_cps: rate of the detectors together that is there with or without the dot.
        delayed: share of the dot's light that comes at any time after the pulse.
    """

    background_cps: float
    delayed: float


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


def estimate_floor(
    decays: FloatArray, seconds: FloatArray, bins: MicroBins, background_cps: float | None = None
) -> Floor | None:
    """Background and delayed share; None where the photons cannot tell.

    Args:
        decays: (g, m) summed decays of groups of time bins that differ in brightness.
        seconds: (g,) time behind each.
        bins: the micro-bins; bin 0 is left out.
        background_cps: the background, where it is known; then only the delayed share is sought.
    """
    if decays[:, 1:].sum() < 3000 or seconds.min() <= 0:
        return None
    fixed = background_cps is not None
    plain = _settle(decays, seconds, bins, Floor(background_cps or 0.0, 0.0), fixed=fixed, delayed=False)
    if plain is None:
        return None
    late = _settle(decays, seconds, bins, plain[0], fixed=fixed, delayed=True)
    return late[0] if late is not None and plain[1] - late[1] > LEAST_GAIN else plain[0]


def _settle(
    decays: FloatArray, seconds: FloatArray, bins: MicroBins, floor: Floor, *, fixed: bool, delayed: bool
) -> tuple[Floor, float] | None:
    """Alternate between the longest lifetime and the floors; returns the floors and chi-squared."""
    chi2 = np.inf
    for _ in range(5):
        known = replace(bins, delayed=floor.delayed)
        longest = lifetime_mle(decays[-1], floor.background_cps * seconds[-1] * bins.uniform_share, known)
        if longest is None or longest.tau_ns > 0.35 * bins.period_ns:
            return None
        floor, chi2 = _floor_below(decays, seconds, bins, longest.tau_ns, floor, fixed=fixed, delayed=delayed)
    return floor, chi2


def _floor_below(
    decays: FloatArray,
    seconds: FloatArray,
    bins: MicroBins,
    longest_ns: float,
    floor: Floor,
    *,
    fixed: bool,
    delayed: bool,
) -> tuple[Floor, float]:
    """Non-negative weighted least squares over lifetimes up to the longest, and the two floors."""
    groups, m = decays.shape
    taus = longest_ns * np.exp(np.linspace(np.log(0.03), 0.0, 16))
    shares = replace(bins, delayed=0.0).share_of(taus)[:, 1:]
    uniform = bins.uniform_share
    signal = np.maximum(decays.sum(axis=1) - floor.background_cps * seconds, 0.0)
    exponentials = groups * len(taus)
    model = np.zeros((groups * (m - 1), exponentials + 2))
    for g in range(groups):
        rows = slice(g * (m - 1), (g + 1) * (m - 1))
        model[rows, g * len(taus) : (g + 1) * len(taus)] = shares.T
        model[rows, -2] = seconds[g] * uniform[1:]
        model[rows, -1] = signal[g] * uniform[1:] if delayed else 0.0
    data = decays[:, 1:].ravel()
    if fixed:
        data = np.maximum(data - floor.background_cps * model[:, -2], 0.0)
        model[:, -2] = 0.0
    solution, chi2 = fit_counts(model, data)
    background = floor.background_cps if fixed else float(solution[-2])
    return Floor(background, min(float(solution[-1]), MOST_DELAYED)), chi2
