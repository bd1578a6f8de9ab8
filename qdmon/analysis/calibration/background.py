"""Uniform background from the decays: what no lifetime can explain, and what comes late of the dot's light.

The dot's dim stretches have short lifetimes, so the end of their pulse period is nearly pure background;
the bright stretches fix the longest lifetime. All share one background rate. The longest lifetime is free:
tied to the mean lifetime of the brightest light it would be too short wherever that light is mixed, and the
rest of its tail would pass for background. After-pulses, which grow with the signal, look like a long
lifetime too, and are taken up by it; their share is sought afterwards, under the background found.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.decays.lifetime import lifetime_mle
from qdmon.analysis.decays.nonnegative import fit_counts

__all__ = ["Floor", "estimate_floor", "intensity_groups"]

FloatArray = NDArray[np.float64]

MOST_DELAYED = 0.08
# The delayed share trades against the background, so it must be asked for: four standard deviations.
LEAST_GAIN = 16.0
EXPONENTIALS = np.geomspace(0.04, 1.0, 12)
LATE_EXPONENTIALS = np.geomspace(0.03, 1.0, 16)
# Longest lifetime over that of the brightest light, at most and as far as it is usually (both as logarithms),
# and over the period: beyond, decay and background look alike.
LONGER, USUALLY_LONGER = 0.35, 0.1
LONGEST_IN_PERIOD, LONGEST_SEEN = 0.4, 0.35
# What no number of photons settles: after-pulses are no exponential, and amplitudes that cannot be negative
# take a little of the background with them. On simulated set-ups with up to 1 % of after-pulses the
# background is off by this share of the signal, and by this share of itself.
LATE_LIGHT, TAKEN = 0.003, 0.04


@dataclass(frozen=True, slots=True)
class Floor:
    """What lies under the decays.

    Attributes:
        background_cps: rate of the detectors together that is there with or without the dot.
        delayed: share of the dot's light that comes at any time after the pulse.
        error_cps: standard error of the background; 0 where it was known beforehand.
    """

    background_cps: float
    delayed: float
    error_cps: float = 0.0


@dataclass(frozen=True)
class _Decays:
    """Decays of the groups, and what a background adds to them, both without the prompt bin and in one row.

    Attributes:
        groups: (g, m) summed decays.
        seconds: (g,) time behind each.
        bins: the micro-bins, no light of theirs delayed.
    """

    groups: FloatArray
    seconds: FloatArray
    bins: MicroBins

    @cached_property
    def counts(self) -> FloatArray:
        """(g (m-1),) photons."""
        return self.groups[:, 1:].ravel()

    @cached_property
    def uniform(self) -> FloatArray:
        """(g (m-1),) photons of 1 cps of background."""
        return np.outer(self.seconds, self.bins.uniform_share[1:]).ravel()

    def exponentials(self, taus_ns: FloatArray) -> FloatArray:
        """(g (m-1), g k) a photon of each of k lifetimes in each group."""
        shares = self.bins.share_of(taus_ns)[:, 1:].T
        whole = np.zeros((len(self.groups), shares.shape[0], len(self.groups), shares.shape[1]))
        for g in range(len(self.groups)):
            whole[g, :, g] = shares
        return whole.reshape(len(self.counts), -1)

    def late(self, background_cps: float) -> FloatArray:
        """(g (m-1),) all light of the dot, spread out evenly."""
        signal = np.maximum(self.groups.sum(axis=1) - background_cps * self.seconds, 0.0)
        return np.outer(signal, self.bins.uniform_share[1:]).ravel()


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
    data = _Decays(decays, seconds, replace(bins, delayed=0.0))
    error_cps = 0.0
    if background_cps is None:
        found = _background(data)
        if found is None:
            return None
        background_cps, error_cps = found
    delayed = _delayed(data, background_cps)
    return Floor(background_cps, delayed, error_cps) if delayed is not None else None


def _background(data: _Decays) -> tuple[float, float] | None:
    """The background and its standard error; None where the brightest light has no lifetime."""
    best_cps = 0.0
    longest_ns = brightest_ns = 0.0
    for _ in range(2):
        brightest = lifetime_mle(
            data.groups[-1], best_cps * data.seconds[-1] * data.bins.uniform_share, data.bins
        )
        if brightest is None:
            return None
        brightest_ns = brightest.tau_ns
        longest_ns, _, best_cps = _best_longest(data, brightest_ns, brightest_ns, None)
    signal_cps = float(data.groups.sum() / data.seconds.sum()) - best_cps
    step = max(0.04 * best_cps, 5.0)
    error = np.inf

    def chi2(background_cps: float) -> float:
        return _best_longest(data, brightest_ns, longest_ns, background_cps)[1]

    middle = chi2(best_cps)
    for _ in range(3):
        low, high = chi2(max(best_cps - step, 0.0)), chi2(best_cps + step)
        if best_cps < step:
            # Half a parabola: below none there is no background.
            curvature = 2 * (high - middle) / step**2
        else:
            curvature = (low - 2 * middle + high) / step**2
        error = float(np.sqrt(2 / curvature)) if curvature > 0 else 4 * step
        if 0.4 < error / step < 2.5:
            break
        step = float(np.clip(error, 1.0, max(best_cps, 50.0)))
    unsettled = np.hypot(LATE_LIGHT * max(signal_cps, 0.0), TAKEN * best_cps)
    return best_cps, float(np.hypot(error, unsettled))


def _best_longest(
    data: _Decays, brightest_ns: float, around_ns: float, background_cps: float | None
) -> tuple[float, float, float]:
    """The longest lifetime that fits best, chi-squared, and the background (found if None is given)."""
    most = np.log(LONGEST_IN_PERIOD * data.bins.period_ns)
    low, high = np.log(around_ns) - LONGER, np.log(around_ns) + LONGER
    known: dict[float, tuple[float, float]] = {}
    for _ in range(3):
        # The ends and the middle of a finer grid are points of the coarser one, but for rounding.
        grid = np.minimum(np.linspace(low, high, 5), most).round(12)
        for x in grid.tolist():
            if x not in known:
                known[x] = _chi2(data, float(np.exp(x)), background_cps)
        unusual = np.square((grid - np.log(brightest_ns)) / USUALLY_LONGER)
        chi2 = np.array([known[x][0] for x in grid.tolist()]) + unusual
        best = int(np.argmin(chi2))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 4)]
    return float(np.exp(grid[best])), float(chi2[best]), known[float(grid[best])][1]


def _chi2(data: _Decays, longest_ns: float, background_cps: float | None) -> tuple[float, float]:
    """Chi-squared of the best amplitudes of lifetimes up to the longest, and the background."""
    curves = data.exponentials(longest_ns * EXPONENTIALS)
    if background_cps is not None:
        return fit_counts(curves, data.counts, background_cps * data.uniform)[1], background_cps
    amplitudes, chi2 = fit_counts(np.column_stack([curves, data.uniform]), data.counts)
    return chi2, float(amplitudes[-1])


def _delayed(data: _Decays, background_cps: float) -> float | None:
    """Share of the light that comes late, under a known background; None where lifetimes are too long."""
    none = _settle(data, background_cps, late=False)
    if none is None:
        return None
    some = _settle(data, background_cps, late=True)
    return some[0] if some is not None and none[1] - some[1] > LEAST_GAIN else 0.0


def _settle(data: _Decays, background_cps: float, *, late: bool) -> tuple[float, float] | None:
    """Alternate between the lifetime of the brightest light and the delayed share; that and chi-squared."""
    known = background_cps * data.uniform
    delayed, chi2 = 0.0, np.inf
    for _ in range(5 if late else 1):
        bins = replace(data.bins, delayed=delayed)
        under = background_cps * data.seconds[-1] * bins.uniform_share
        longest = lifetime_mle(data.groups[-1], under, bins)
        if longest is None or longest.tau_ns > LONGEST_SEEN * bins.period_ns:
            return None
        curves = data.exponentials(longest.tau_ns * LATE_EXPONENTIALS)
        if late:
            curves = np.column_stack([curves, data.late(background_cps)])
        amplitudes, chi2 = fit_counts(curves, data.counts, known)
        delayed = min(float(amplitudes[-1]), MOST_DELAYED) if late else 0.0
    return delayed, chi2
