"""How the charging rate grows with <N>: linearly (single-exciton ionisation) or quadratically (Auger).

N events in a time t at the mean excitation <N> are Poisson with the mean t (a [1 - exp(-<N>)] + b P(n >= 2)),
so nothing is approximated at high <N>. The exponent k is that of
ln rate = c + (2 - k) ln[1 - exp(-<N>)] + (k - 1) ln P(n >= 2): the slope d ln rate / d ln <N> towards low
<N>, exactly 1 for a linear and 2 for a quadratic dot whatever the fluences.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar

from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.segment import Charging, ChargingLaw
from qdmon.analysis.switching.excitation import excited, excited_twice

__all__ = ["ChargingCount", "charging_exponent"]

FloatArray = NDArray[np.float64]

LEAST_FLUENCES, LEAST_EVENTS = 2, 10
# Log odds at which one law is preferred: twenty to one.
LEAST_ODDS = float(np.log(20.0))
EXPONENTS = (-4.0, 8.0)


@dataclass(frozen=True, slots=True)
class ChargingCount:
    """Charging events seen at one fluence.

    Attributes:
        mean_excitation: <N>.
        events: number of neutral-to-charged switches.
        neutral_s: time in which they happened: events/time is the charging rate.
        log_error: standard error of its logarithm, besides that of counting.
    """

    mean_excitation: float
    events: int
    neutral_s: float
    log_error: float = 0.0


class _Counts:
    """The counts as arrays, beside the time each weighs with the chance of one and of two excitations."""

    def __init__(self, counts: list[ChargingCount]) -> None:
        excitation = np.array([c.mean_excitation for c in counts])
        events = np.array([float(c.events) for c in counts])
        time = np.array([c.neutral_s for c in counts])
        # An uncertain time adds to the variance of a count: it weighs less (quasi-likelihood).
        self.weight = 1 / (1 + np.maximum(events, 1) * np.square([c.log_error for c in counts]))
        self.events = events
        self.once, self.twice = time * excited(excitation), time * excited_twice(excitation)
        self.log_ratio = np.log(self.twice / self.once)

    def expected(self, growth: FloatArray) -> FloatArray:
        """(n,) events expected where they grow like this, as many in all as were seen."""
        return np.asarray(growth * float(self.weight @ self.events) / float(self.weight @ growth))

    def log_likelihood(self, growth: FloatArray) -> float:
        """Of the counts at the best amplitude, up to a constant."""
        expected = self.expected(growth)
        return float(self.weight @ (self.events * np.log(expected) - expected))


def charging_exponent(counts: list[ChargingCount]) -> Charging:
    """Exponent and law of the charging rate; unknown below two fluences or ten events."""
    usable = [c for c in counts if c.mean_excitation > 0 and c.neutral_s > 0]
    enough = sum(c.events for c in usable) >= LEAST_EVENTS
    if len({c.mean_excitation for c in usable}) < LEAST_FLUENCES or not enough:
        return Charging(UNKNOWN)
    data = _Counts(usable)
    # Both laws have one amplitude, so the likelihood ratio is that of the Bayesian information criterion.
    linear, quadratic = data.log_likelihood(data.once), data.log_likelihood(data.twice)
    odds = linear - quadratic
    law: ChargingLaw | None = None
    if _both(data) - max(linear, quadratic) - 0.5 * np.log(data.events.sum()) > LEAST_ODDS:
        law = "both"
    elif abs(odds) > LEAST_ODDS:
        law = "linear" if odds > 0 else "quadratic"
    return Charging(_exponent(data), law, odds)


def _both(data: _Counts) -> float:
    """Log-likelihood of a rate in which both kinds of excitation charge, at the best shares."""
    one, two = data.once / (data.weight @ data.once), data.twice / (data.weight @ data.twice)
    found = minimize_scalar(
        lambda share: -data.log_likelihood((1 - share) * one + share * two), bounds=(0, 1), method="bounded"
    )
    return -float(found.fun)


def _exponent(data: _Counts) -> Estimate:
    """The exponent at which no slope is left over, with the error of the Fisher information."""

    def expected(exponent: float) -> FloatArray:
        log_growth = (exponent - 1) * data.log_ratio
        return data.expected(data.once * np.exp(log_growth - log_growth.max()))

    def slope(exponent: float) -> float:
        return float((data.weight * (data.events - expected(exponent))) @ data.log_ratio)

    if slope(EXPONENTS[0]) <= 0 or slope(EXPONENTS[1]) >= 0:
        return UNKNOWN
    exponent = float(brentq(slope, *EXPONENTS, xtol=1e-6))
    weight = data.weight * expected(exponent)
    lever = data.log_ratio - float(weight @ data.log_ratio) / float(weight.sum())
    return Estimate(exponent, float((weight @ lever**2) ** -0.5))
