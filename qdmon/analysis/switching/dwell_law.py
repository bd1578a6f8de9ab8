"""The law that on or off dwells follow, by maximum likelihood, free of what the bins do to dwells.

Maximum likelihood after Clauset, Shalizi and Newman, SIAM Rev. 51, 661, 2009 (log-log least squares is
badly biased, Hoogenboom 2006). Three things the bins do are part of the likelihood: edges are rounded, so
a dwell of t bins is read as one of the two whole numbers around t; dwells below the resolution are not
seen, so the law is that of the longer ones; and a missed dwell of the other state joins two dwells into
one (`merged`), which would make everything look 5-10 % slower. The dwell that the end of the data cut
short enters as "at least so long".
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.intensity import DwellLaw
from qdmon.analysis.switching.dwells import Dwells
from qdmon.analysis.switching.merged import Merging
from qdmon.analysis.switching.missed import Seen, share_seen
from qdmon.analysis.switching.power_law import PowerLaw
from qdmon.analysis.switching.resolution import LEAST_BINS

__all__ = ["dwell_laws"]

FloatArray = NDArray[np.float64]
Function = Callable[[FloatArray], float]

LEAST_DWELLS = 30
# A power law is called when it is this much better by AIC: exponential dwells reach it in 1 of 400 cases.
LEAST_GAIN = 6.0
STEEPEST = 6.0
STEP = 0.03
LEAST_SHARE = 0.2
STEPS = 4
# Variance of the logarithm of a cutoff time that could as well be none.
VAGUE = 0.4
# The slowest cutoff that is told from none, in longest dwells.
SLOWEST = 100.0
LIMIT = LEAST_BINS - 0.5


def dwell_laws(on: Dwells, off: Dwells) -> tuple[DwellLaw, DwellLaw]:
    """Laws of the on and of the off dwells, each a power law with a cutoff or a plain exponential."""
    seen_on, seen_off = _shares_seen(on, off)
    return _law(on, Merging(seen_on, seen_off)), _law(off, Merging(seen_off, seen_on))


def _shares_seen(on: Dwells, off: Dwells) -> tuple[Seen, Seen]:
    """Share of the dwells of each state that is long enough to be seen.

    A dwell ends unseen when the one after it is missed: dwells end more often than they seem to, by the
    share of the other state.
    """
    everything = Seen(1.0, 0.0, 0.0)
    apparent = [share_seen(d.complete, d.cut) or everything for d in (on, off)]
    shares = [seen.share for seen in apparent]
    for _ in range(STEPS):
        shares = [max(apparent[i].share ** (1 / shares[1 - i]), LEAST_SHARE) for i in (0, 1)]
    own = [apparent[i].log_error / shares[1 - i] for i in (0, 1)]
    errors = [float(np.hypot(own[i], np.log(shares[i]) * own[1 - i])) for i in (0, 1)]
    found = [replace(apparent[i], share=shares[i], log_error=errors[i]) for i in (0, 1)]
    return found[0], found[1]


class _Dwells:
    """Some dwells as whole numbers of bins with how often each occurs.

    Attributes:
        count: complete dwells.
        longest: bins, cut ones included.
        mean_excess: mean time beyond the resolution, in bins: that of the best plain exponential.
    """

    def __init__(self, dwells: Dwells) -> None:
        self._value, self._times = np.unique(dwells.complete, return_counts=True)
        self._cut, self._cut_times = np.unique(dwells.cut, return_counts=True)
        self.count = len(dwells.complete)
        self.longest = int(max(dwells.complete.max(initial=0), dwells.cut.max(initial=0)))
        excess = float((dwells.complete - LIMIT).sum() + (dwells.cut - LIMIT).sum())
        self.mean_excess = excess / max(self.count, 1)

    def plain(self, law: PowerLaw) -> float:
        """Log-likelihood under a law of the dwells as they are read."""
        mass, rest = law.mass(self._value), law.survival(self._cut)
        return self._sum(mass / law.whole, rest / law.whole)

    def merged(self, law: PowerLaw, merging: Merging) -> float:
        """Log-likelihood under a law of the dwells themselves."""
        mass = merging.apparent(law, self.longest)
        rest = 1 - np.cumsum(mass)
        return self._sum(mass[self._value], rest[self._cut])

    def _sum(self, mass: FloatArray, rest: FloatArray) -> float:
        log_mass, log_rest = np.log(np.maximum(mass, 1e-300)), np.log(np.maximum(rest, 1e-300))
        return float(self._times @ log_mass + self._cut_times @ log_rest)


def _law(dwells: Dwells, merging: Merging) -> DwellLaw:
    data, bin_s = _Dwells(dwells), dwells.bin_s
    shortest_s = LIMIT * bin_s
    if data.count < LEAST_DWELLS or data.mean_excess <= 0:
        return DwellLaw(data.count, shortest_s, None, UNKNOWN, UNKNOWN, None)

    def plain(p: FloatArray) -> float:
        return data.plain(_power_law(0.0, p[0], data))

    def full(p: FloatArray) -> float:
        return data.plain(_power_law(p[0], p[1], data))

    slowest = -float(np.log(SLOWEST * data.longest / data.mean_excess))
    bounds = [(0.0, STEEPEST), (slowest, 3.0)]
    one = _maximum(plain, [0.0], bounds[1:])
    both = max((_maximum(full, start, bounds) for start in ([0.3, 0.0], [1.5, -2.0])), key=full)
    gain = 2 * (full(both) - plain(one)) - 2
    if gain < LEAST_GAIN:
        apparent = _cutoff(one[0], _covariance(plain, one), data, bin_s)
        cutoff = merging.of_exponential(apparent, bin_s)
        return DwellLaw(data.count, shortest_s, "exponential", UNKNOWN, cutoff, gain)
    best = _maximum(_merged(data, merging), [float(x) for x in both], bounds)
    covariance = _spread(data, merging, best, 2)
    ends = covariance is not None and best[1] > slowest + 0.5
    cutoff = _cutoff(best[1], covariance, data, bin_s) if ends else UNKNOWN
    if not ends:
        covariance = _spread(data, merging, best, 1)
    error = float(covariance[0, 0] ** 0.5) if covariance is not None else None
    return DwellLaw(data.count, shortest_s, "power law", Estimate(float(best[0]), error), cutoff, gain)


def _power_law(exponent: float, log_rate: float, data: _Dwells) -> PowerLaw:
    """By m and the logarithm of 1/tc, in units of the exponential that would have the same mean."""
    return PowerLaw(float(exponent), float(np.exp(log_rate)) / data.mean_excess)


def _merged(data: _Dwells, merging: Merging) -> Function:
    return lambda p: data.merged(_power_law(p[0], p[1], data), merging)


def _spread(data: _Dwells, merging: Merging, best: FloatArray, free: int) -> FloatArray | None:
    """Covariance of the first `free` parameters: of the fit, and of how many dwells were missed."""

    def at_best(merging: Merging) -> Function:
        likelihood = _merged(data, merging)
        return lambda p: likelihood(np.append(p, best[free:]))

    covariance = _covariance(at_best(merging), best[:free])
    if covariance is None:
        return None
    slope = _slope(at_best(merging), best[:free])
    # With another share missed the likelihood slopes here: by so much would the maximum move.
    moves = [covariance @ (_slope(at_best(m), best[:free]) - slope) for m in merging.doubted()]
    return np.asarray(covariance + sum(np.outer(move, move) for move in moves))


def _maximum(f: Function, start: list[float], bounds: list[tuple[float, float]]) -> FloatArray:
    options = {"xatol": 1e-3, "fatol": 1e-4}
    # Two parameters do not need more; gradient methods wait for the threads of the algebra library.
    found = minimize(lambda p: -f(p), start, method="Nelder-Mead", bounds=bounds, options=options)
    return np.asarray(found.x, np.float64)


def _covariance(f: Function, at: FloatArray) -> FloatArray | None:
    """Inverse of the observed Fisher information, from second differences; None at no proper maximum."""
    move = STEP * np.eye(len(at))
    corners = [(a, b) for a in (-1, 1) for b in (-1, 1)]

    def second(i: int, j: int) -> float:
        return sum(a * b * f(at + a * move[i] + b * move[j]) for a, b in corners) / (2 * STEP) ** 2

    information = -np.array([[second(i, j) for j in range(len(at))] for i in range(len(at))])
    if not (np.linalg.eigvalsh(information) > 0).all():
        return None
    return np.asarray(np.linalg.inv(information))


def _slope(f: Function, at: FloatArray) -> FloatArray:
    move = STEP * np.eye(len(at))
    return np.array([(f(at + step) - f(at - step)) / (2 * STEP) for step in move])


def _cutoff(log_rate: float, covariance: FloatArray | None, data: _Dwells, bin_s: float) -> Estimate:
    """Cutoff time from the logarithm of its inverse, with the longer side of its interval as the error.

    One that could as well be none is not known.
    """
    if covariance is None or covariance[-1, -1] > VAGUE:
        return UNKNOWN
    value = float(np.exp(-log_rate)) * data.mean_excess * bin_s
    return Estimate(value, value * float(np.expm1(covariance[-1, -1] ** 0.5)))
