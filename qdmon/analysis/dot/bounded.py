"""What to expect of parameters of which some cannot be negative, and some are mostly nothing at all.

Steady background, delayed light, a spread of lifetimes and after-pulses cannot be negative. Most dots have no
delayed light and no spread: each is zero with some chance beforehand, and otherwise a half normal. How
likely zero is afterwards follows from the densities there (Savage and Dickey: Dickey, Ann. Math. Stat. 42,
204, 1971). Whatever leans on such a parameter moves with what is expected of it, and errs less.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr, logit

__all__ = ["Expectation", "expected_within"]

FloatArray = NDArray[np.float64]

# Chance beforehand that a parameter that may be nothing is nothing.
NOTHING = 0.8
# Of the variance so much is left at least, that the others can still be told apart from it.
_LEAST_LEFT = 1e-6


@dataclass(frozen=True, slots=True)
class Expectation:
    """Normal approximation of some parameters.

    Attributes:
        mean: (n,).
        covariance: (n, n).
    """

    mean: FloatArray
    covariance: FloatArray


def expected_within(
    at: FloatArray, mode: FloatArray, covariance: FloatArray, not_negative: slice, scale: FloatArray
) -> Expectation:
    """Mean and covariance with the limits taken into account, one parameter after the other.

    Args:
        at: (n,) where the parameters are now, within the limits.
        mode: (n,) where the likelihood with its prior would have them, were there no limits.
        covariance: (n, n) of a normal about the mode.
        not_negative: those that cannot be negative.
        scale: (n,) standard deviation of the half normal of those that may be nothing; NaN for others.
    """
    mean, mode, covariance = at.copy(), mode.copy(), covariance.copy()
    for j in range(len(mean))[not_negative]:
        variance = float(covariance[j, j])
        sd = float(np.sqrt(variance))
        z = float(mode[j]) / sd
        log_hazard = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - float(log_ndtr(z))
        hazard = float(np.exp(log_hazard))
        some, left = z + hazard, 1 - z * hazard - hazard**2
        nothing = 0.0
        if np.isfinite(scale[j]):
            log_odds = log_hazard - np.log(sd) - np.log(np.sqrt(2 / np.pi) / scale[j])
            nothing = float(expit(log_odds + logit(NOTHING)))
        expected = (1 - nothing) * some
        left = max((1 - nothing) * (left + some**2) - expected**2, _LEAST_LEFT)
        gain = covariance[:, j] / variance
        mean += gain * (expected * sd - mean[j])
        mode += gain * (expected * sd - mode[j])
        covariance -= (1 - left) * variance * np.outer(gain, gain)
    return Expectation(mean, covariance)
