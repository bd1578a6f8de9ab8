"""From counted pairs to g2(0): its value, its error, and limits that hold where pairs are few.

The pairs at zero lag are Poisson with the mean

    mu(g) = [(1 - lost) g + found] net + chance,     net = side - chance

where `side` are those of a side peak, `chance` those that a steady background makes at every lag, `found`
the share of a side peak that photons of different pulses add at zero lag, and `lost` the share of true
pairs that zero lag loses because their second photon came after the next pulse. What mu leans on is known
with an error only; its probability is averaged over that error, so that the limits of g hold with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaincc, gammaincinv, gammaln, xlogy

from qdmon.analysis.results.estimate import UNKNOWN, Estimate

__all__ = ["Coincidences", "ZeroDelay", "dip_significance", "probability_single"]

FloatArray = NDArray[np.float64]
_Value = TypeVar("_Value", float, FloatArray)

FEWEST_SIDE_PAIRS = 20
CONFIDENCE = 0.99
# Before any pair is seen: a diluted sample shows one dot in nine of ten spots.
PRIOR_SINGLE = 0.9
# What a biexciton leaves, over its mean, and how often: exponential, far into its tail, as many pairs may
# leave no other explanation.
LEFT = (np.arange(48) + 0.5) / 6
HOW_OFTEN = np.exp(-LEFT) / np.exp(-LEFT).sum()
# g2(0) of several: where nine of ten spots are one emitter the others are two, the fainter one with anything
# from a quarter to half of the light, and hardly ever three or a crowd.
FAINTER = np.linspace(0.25, 0.5, 9)
SEVERAL = np.append(2 * FAINTER * (1 - FAINTER), [2 / 3, 1.0])
# A limit beyond this excludes nothing.
LARGEST = 1e6
# Nothing as unlikely as this happens by chance (six standard deviations).
IMPOSSIBLE = 1e-9
# Nodes of the average over the error of the mean.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True, slots=True)
class ZeroDelay:
    """What is known of g2(0).

    Attributes:
        value: best estimate with its standard error; unbiased, so below zero by chance where the truth is
            near it. The error is that of the pairs to be expected, not of those that happened to come.
        upper_99: one-sided 99 % upper limit; None where too few pairs were counted, or where what they are
            compared with is known so badly, or so wrongly, that no g2(0) is excluded.
        pairs: that say so; None where they cannot be compared.
    """

    value: Estimate
    upper_99: float | None
    pairs: "Coincidences | None"

    def surely_above(self, g: float) -> bool:
        """Whether the lower limit lies above; to know that it need not be found."""
        return self.pairs is not None and self.pairs.exclude_below(g)


@dataclass(frozen=True, slots=True)
class Coincidences:
    """Pairs at zero lag and what they are compared with.

    Attributes:
        zero: pairs at zero lag.
        side: mean of the side peaks.
        side_peaks: how many of them.
        chance: pairs per lag that the steady background makes, with itself or with the signal.
        chance_error: standard error of `chance`.
        photon_share: relative variance of `side` by the chance of the photons that all its peaks share.
        found: pairs of different pulses at zero lag, over those of a net side peak.
        found_error: standard error of `found`.
        lost: share of the true pairs that zero lag misses.
        steady: net pairs per lag that light as bright on average, but steady, would make; 0 if unknown.
    """

    zero: float
    side: float
    side_peaks: int
    chance: float = 0.0
    chance_error: float = 0.0
    photon_share: float = 0.0
    found: float = 0.0
    found_error: float = 0.0
    lost: float = 0.0
    steady: float = 0.0

    def zero_delay(self) -> ZeroDelay:
        """g2(0) with its error and limits."""
        net = self.side - self.chance
        if self.side * self.side_peaks < FEWEST_SIDE_PAIRS or net <= 0:
            return ZeroDelay(UNKNOWN, None, None)
        scale = net * (1 - self.lost)
        value = (self.zero - self.chance - self.found * net) / scale
        expected = self._expected_zero()
        variance = expected + self._mean_variance(max(value, 0.0))
        return ZeroDelay(
            Estimate(value, float(np.sqrt(variance)) / scale),
            self._upper_limit(),
            self,
        )

    @property
    def bunching(self) -> float:
        """Net pairs of a side peak over those that steady light would make; 1 where that is not known."""
        net = self.side - self.chance
        return max(net / self.steady, 1.0) if self.steady > 0 else 1.0

    def without(self, part: "Coincidences") -> "Coincidences":
        """The pairs that are not among some of these."""
        return replace(
            self,
            zero=self.zero - part.zero,
            side=self.side - part.side,
            chance=max(self.chance - part.chance, 0.0),
            chance_error=max(self.chance_error - part.chance_error, 0.0),
            steady=self.steady - part.steady,
        )

    @property
    def comparable(self) -> bool:
        """Whether the side peaks stand out of the chance pairs."""
        return self.side > self.chance

    def chance_of_zero(self, g: FloatArray) -> FloatArray:
        """(n,) probability of the pairs at zero lag if g2(0) were each of g."""
        sd = np.sqrt(self._mean_variance(g))[:, None]
        mean = np.maximum(self._mean(g)[:, None] + sd * NODES, 1e-6)
        log_p = self.zero * np.log(mean) - mean - gammaln(self.zero + 1)
        return np.asarray(np.exp(log_p) @ WEIGHTS)

    def _expected_zero(self) -> float:
        """Pairs at zero lag to be expected: as many as were counted, but no fewer than g = 0 would make.

        And half a pair, the mean of mu by Jeffreys' prior: a count that is low by chance makes nothing surer,
        and none at all leaves room for one.
        """
        return max(self.zero, self._mean(0.0)) + 0.5

    def _mean(self, g: _Value) -> _Value:
        return ((1 - self.lost) * g + self.found) * (self.side - self.chance) + self.chance

    def _mean_variance(self, g: _Value) -> _Value:
        """Variance of mu at g, from the errors of everything it is made of."""
        share = (1 - self.lost) * g + self.found
        side = self.side / self.side_peaks + self.photon_share * self.side**2
        net = self.side - self.chance
        return share**2 * side + ((1 - share) * self.chance_error) ** 2 + (self.found_error * net) ** 2

    def _chance_below(self, shape: float, g: float) -> float:
        """Chance to count fewer than `shape` pairs at zero lag."""
        sd = self._mean_variance(g) ** 0.5
        mean = np.maximum(self._mean(g) + sd * NODES, 0.0)
        return float(gammaincc(shape, mean) @ WEIGHTS)

    def _upper_limit(self) -> float | None:
        """None also where pairs are so few that the chance pairs they are compared with must be wrong."""
        without = self._chance_below(self.zero + 1, 0.0)
        return self._limit(self.zero + 1, (1 - CONFIDENCE) * without) if without > IMPOSSIBLE else None

    def lower_limit(self) -> float | None:
        """One-sided 99 % lower limit of g2(0); None where no g is too large."""
        return self._limit(self.zero, CONFIDENCE) if self.zero > 0 else 0.0

    def exclude_below(self, g: float) -> bool:
        """Whether that limit is known to lie above some g."""
        if self.zero <= 0 or self._chance_below(self.zero, g) <= CONFIDENCE:
            return False
        return self.lower_limit() is not None

    def _limit(self, shape: float, tail: float) -> float | None:
        """The g at which the chance to count fewer than `shape` pairs is `tail`; 0 if no g is that small.

        With everything known but the pairs at zero lag this is a limit of Garwood's. None if no g is that
        large: the side peaks, less their chance pairs, may then as well be nothing.
        """

        def excess(g: float) -> float:
            return self._chance_below(shape, g) - tail

        if excess(0.0) <= 0:
            return 0.0
        net = (self.side - self.chance) * (1 - self.lost)
        high = 2 * float(gammaincinv(shape, 1 - tail)) / net
        while excess(high) > 0:
            if high > LARGEST:
                return None
            high *= 2
        return float(brentq(excess, 0.0, high, xtol=1e-12, rtol=1e-6))


def probability_single(classes: Sequence[tuple[Coincidences, float]]) -> float | None:
    """Chance that one emitter made the pairs at zero lag, most light in a focus being that of one.

    Pairs of different classes are different pairs. In each, g2(0) of one emitter is what its biexciton leaves
    there, the less the likelier (exponential); that of several, blinking by themselves, is the same in all.
    None where nothing can be compared.

    Args:
        classes: pairs, and the mean g2(0) of single emitters among them.
    """
    known = [(pairs, mean) for pairs, mean in classes if pairs.comparable]
    if sum(pairs.side * pairs.side_peaks for pairs, _ in known) < FEWEST_SIDE_PAIRS:
        return None
    one, more = 1.0, np.ones(len(SEVERAL))
    for pairs, mean in known:
        one *= float(pairs.chance_of_zero(mean * LEFT) @ HOW_OFTEN)
        more *= pairs.chance_of_zero(SEVERAL / pairs.bunching)
    several = (1 - PRIOR_SINGLE) * float(more.mean())
    return float(PRIOR_SINGLE * one / (PRIOR_SINGLE * one + several + 1e-300))


def dip_significance(
    zero: FloatArray | float, side: FloatArray | float, side_peaks: int
) -> NDArray[np.float64]:
    """By how many standard deviations a peak misses pairs against its neighbours; negative if it has more.

    The square root of twice the log-likelihood ratio between a peak of its own height and one like the rest.

    Args:
        zero: (...) pairs in the peak.
        side: (...) mean of its neighbours.
        side_peaks: how many of them.
    """
    total = np.multiply(side, side_peaks)
    common = np.maximum((zero + total) / (side_peaks + 1), 1e-300)
    ratio = xlogy(zero, zero / common) + xlogy(total, total / (side_peaks * common))
    return np.asarray(np.copysign(np.sqrt(2 * np.maximum(ratio, 0.0)), side - zero))
