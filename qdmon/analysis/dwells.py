"""How long the dot stays on and off: dwell times between two levels, and the law they follow.

The law is fitted by maximum likelihood (Clauset, Shalizi and Newman, SIAM Rev. 51, 661, 2009; log-log
least squares is badly biased, Hoogenboom 2006). Dwells read from bins are known to half a bin either way
and enter as such; the dwell that the end of the data cut short enters as "at least so long". One that was
already going on at the start is left out: how it would be distributed depends on its unknown beginning.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from qdmon.analysis.blinks import OFF_BELOW, ON_ABOVE, hysteresis_runs
from qdmon.analysis.snapshot import UNKNOWN, DwellLaw, Estimate

__all__ = ["Dwells", "dwell_law", "on_off_dwells"]

FloatArray = NDArray[np.float64]

LEAST_DWELLS = 30
# Dwells of one bin are often missed; from two on nearly all are seen.
LEAST_BINS = 2
# A power law is called when it is this much better by AIC: exponential dwells reach it in 1 of 400 cases.
LEAST_GAIN = 6.0
STEEPEST = 6.0
STEP = 0.03
# The slowest cutoff that is told from none, in longest dwells.
SLOWEST = 100.0
NODE, WEIGHT = np.polynomial.legendre.leggauss(80)


@dataclass(frozen=True, slots=True)
class Dwells:
    """Dwell times in one of two states.

    Attributes:
        complete_s: (n,) dwells seen from beginning to end.
        cut_s: (k,) dwells whose beginning was seen, not their end.
        bin_s: width of the bins they were read from, which is how well they are known; 0 if exactly.
    """

    complete_s: FloatArray
    cut_s: FloatArray
    bin_s: float


def on_off_dwells(
    counts: FloatArray, good: NDArray[np.bool_], bin_s: float, bright: float, dim: float
) -> tuple[Dwells, Dwells]:
    """On and off dwells with the hysteresis of the blinking rate.

    Args:
        counts: (n,) counts per bin.
        good: (n,) False where photons are missing: dwells end there unseen.
        bin_s: bin width.
        bright: counts per bin of the bright level.
        dim: of the dim one; no dwells if it is not below the bright one.
    """
    complete: dict[bool, list[int]] = {True: [], False: []}
    cut: dict[bool, list[int]] = {True: [], False: []}
    gap = bright - dim
    told_apart = good & (gap > 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], told_apart, [False]]).astype(np.int8)))
    for first, stop in edges.reshape(-1, 2):
        piece = counts[first:stop]
        off = piece < dim + OFF_BELOW * gap
        on = piece > dim + ON_ABOVE * gap
        runs = hysteresis_runs(off, on)
        switches = np.array(runs, np.intp).reshape(-1)
        # A piece that begins off has no switch at its beginning, one that ends off none at its end.
        inside = switches[(switches > int(np.argmax(off | on))) & (switches < len(piece))]
        if not len(inside):
            continue
        goes_off = np.isin(inside, [a for a, _ in runs])
        for length, is_off in zip(np.diff(inside).tolist(), goes_off[:-1].tolist(), strict=True):
            complete[is_off].append(length)
        cut[bool(goes_off[-1])].append(len(piece) - int(inside[-1]))
    on_dwells, off_dwells = (
        Dwells(np.array(complete[k]) * bin_s, np.array(cut[k]) * bin_s, bin_s) for k in (False, True)
    )
    return on_dwells, off_dwells


def log_survival(from_s: FloatArray, exponent: float, cutoff_hz: float) -> FloatArray:
    """Logarithm of the integral of t^-m exp(-t/tc) from each of some times to infinity.

    Args:
        from_s: (n,) lower limits, above 0.
        exponent: m.
        cutoff_hz: 1/tc, above 0.

    On a logarithmic time axis the integrand is smooth and ends where 50 cutoff times are over.
    """
    x = from_s * cutoff_hz
    span = np.log1p((50.0 + 5 * abs(exponent)) / x)[:, None]
    u = span * (NODE + 1) / 2
    log_term = (1 - exponent) * u - x[:, None] * np.expm1(u)
    top = log_term.max(axis=1, keepdims=True)
    integral = (np.exp(log_term - top) @ WEIGHT) * span[:, 0] / 2
    return np.asarray((1 - exponent) * np.log(from_s) - x + top[:, 0] + np.log(integral))


class _Likelihood:
    """Log-likelihood of dwells not shorter than `shortest_s`, as a function of (m, 1/tc).

    Attributes:
        count: complete dwells used.
        shortest_s: for binned dwells, what a dwell of `LEAST_BINS` may be short of; else the shortest seen.
        longest_s: longest dwell, cut ones included.
        mean_excess_s: mean time beyond `shortest_s`: that of the best plain exponential.
    """

    def __init__(self, dwells: Dwells) -> None:
        half = dwells.bin_s / 2
        complete = np.sort(dwells.complete_s)
        if half:
            self.shortest_s = LEAST_BINS * dwells.bin_s - half
            used = complete[complete > self.shortest_s]
        else:
            # The shortest dwell only says where the law begins.
            self.shortest_s, used = float(complete.min(initial=np.inf)), complete[1:]
        cut = dwells.cut_s[dwells.cut_s - half > self.shortest_s] - half
        self.count, self._cut = len(used), len(cut)
        self.longest_s = float(max(used.max(initial=0.0), cut.max(initial=0.0)))
        excess = float((used - self.shortest_s).sum() + (cut - self.shortest_s).sum())
        self.mean_excess_s = excess / max(self.count, 1)
        self._sums = None if half else (float(np.log(used).sum()), float(used.sum()))
        bins, self._times = np.unique(np.round(used / dwells.bin_s) if half else [], return_counts=True)
        lower, upper = bins * dwells.bin_s - half, bins * dwells.bin_s + half
        self._limits: FloatArray = np.concatenate([np.array([self.shortest_s]), cut, lower, upper])

    def __call__(self, exponent: float, cutoff_hz: float) -> float:
        survival = log_survival(self._limits, exponent, cutoff_hz)
        whole, rest = survival[0], survival[1 + self._cut :]
        value = float(survival[1 : 1 + self._cut].sum()) - (self.count + self._cut) * whole
        if self._sums is not None:
            return float(value - exponent * self._sums[0] - cutoff_hz * self._sums[1])
        at, after = rest[: len(self._times)], rest[len(self._times) :]
        return float(value + self._times @ (at + np.log(-np.expm1(np.minimum(after - at, -1e-12)))))


def _maximum(
    f: Callable[[FloatArray], float], start: list[float], bounds: list[tuple[float, float]]
) -> FloatArray:
    options = {"xatol": 1e-4, "fatol": 1e-5}
    # Two parameters do not need more; gradient methods wait for the threads of the algebra library.
    found = minimize(lambda p: -f(p), start, method="Nelder-Mead", bounds=bounds, options=options)
    return np.asarray(found.x, np.float64)


def _covariance(f: Callable[[FloatArray], float], at: FloatArray) -> FloatArray | None:
    """Inverse of the observed Fisher information, from second differences; None at no proper maximum."""
    move = STEP * np.eye(len(at))
    corners = [(a, b) for a in (-1, 1) for b in (-1, 1)]

    def second(i: int, j: int) -> float:
        return sum(a * b * f(at + a * move[i] + b * move[j]) for a, b in corners) / (2 * STEP) ** 2

    information = -np.array([[second(i, j) for j in range(len(at))] for i in range(len(at))])
    if not (np.linalg.eigvalsh(information) > 0).all():
        return None
    return np.asarray(np.linalg.inv(information))


def dwell_law(dwells: Dwells) -> DwellLaw:
    """Power law with an exponential cutoff, or a plain exponential, whichever the dwells ask for."""
    likelihood = _Likelihood(dwells)
    shortest = likelihood.shortest_s
    if likelihood.count < LEAST_DWELLS or likelihood.mean_excess_s <= 0:
        return DwellLaw(likelihood.count, shortest, None, UNKNOWN, UNKNOWN, None)
    unit = 1 / likelihood.mean_excess_s

    def plain(p: FloatArray) -> float:
        return likelihood(0.0, float(np.exp(p[0])) * unit)

    def full(p: FloatArray) -> float:
        return likelihood(float(p[0]), float(np.exp(p[1])) * unit)

    # The logarithm of 1/tc is searched, in units of the exponential that would have the same mean.
    slowest = -float(np.log(SLOWEST * likelihood.longest_s * unit))
    one = _maximum(plain, [0.1], [(slowest, 3.0)])
    bounds = [(0.0, STEEPEST), (slowest, 3.0)]
    both = max((_maximum(full, start, bounds) for start in ([0.3, 0.0], [1.5, -2.0])), key=full)
    gain = 2 * (full(both) - plain(one)) - 2
    if gain < LEAST_GAIN:
        cutoff = _cutoff(one[-1], _covariance(plain, one), unit)
        return DwellLaw(likelihood.count, shortest, "exponential", UNKNOWN, cutoff, gain)
    covariance = _covariance(full, both)
    cutoff = _cutoff(both[-1], covariance, unit) if both[-1] > slowest + 0.5 else UNKNOWN
    if cutoff.value is None:
        covariance = _covariance(lambda p: full(np.array([p[0], both[1]])), both[:1])
    error = float(covariance[0, 0] ** 0.5) if covariance is not None else None
    exponent = Estimate(float(both[0]), error)
    return DwellLaw(likelihood.count, shortest, "power law", exponent, cutoff, gain)


def _cutoff(log_rate: float, covariance: FloatArray | None, unit: float) -> Estimate:
    """Cutoff time from the logarithm of its inverse; one that could as well be none is not known."""
    if covariance is None or covariance[-1, -1] >= 1:
        return UNKNOWN
    value = float(np.exp(-log_rate)) / unit
    return Estimate(value, value * float(covariance[-1, -1] ** 0.5))
