"""Dwell times that fall as t^-m exp(-t/tc), read in whole bins with rounded edges."""

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.switching.resolution import LEAST_BINS

__all__ = ["PowerLaw", "log_survival"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NODE, _WEIGHT = np.polynomial.legendre.leggauss(80)
# Three nodes on either side of a bin's centre, for the triangle that rounded edges make of a bin.
_SIDE, _SIDE_WEIGHT = np.polynomial.legendre.leggauss(3)
_OFFSET = np.concatenate([-(1 + _SIDE) / 2, (1 + _SIDE) / 2])
_TRIANGLE = np.tile(_SIDE_WEIGHT / 2, 2) * (1 - np.abs(_OFFSET))
# From here on the density is straight over a bin.
_FAR = 40


def log_survival(from_t: FloatArray, exponent: float, cutoff_rate: float) -> FloatArray:
    """Logarithm of the integral of t^-m exp(-t/tc) from each of some times to infinity.

    On a logarithmic time axis the integrand is smooth and ends where 50 cutoff times are over.

    Args:
        from_t: (n,) lower limits, above 0.
        exponent: m.
        cutoff_rate: 1/tc, above 0.
    """
    x = from_t * cutoff_rate
    span = np.log1p((50.0 + 5 * abs(exponent)) / x)[:, None]
    u = span * (_NODE + 1) / 2
    log_term = (1 - exponent) * u - x[:, None] * np.expm1(u)
    top = log_term.max(axis=1, keepdims=True)
    integral = (np.exp(log_term - top) @ _WEIGHT) * span[:, 0] / 2
    return np.asarray((1 - exponent) * np.log(from_t) - x + top[:, 0] + np.log(integral))


class PowerLaw:
    """The law with m and 1/tc, times in bins, not normalised.

    Attributes:
        whole: of all dwells that are read as `LEAST_BINS` or more.
    """

    def __init__(self, exponent: float, cutoff_rate: float) -> None:
        self._exponent, self._rate = exponent, cutoff_rate
        # Between one bin less and `LEAST_BINS` the chance to be read as that many rises from 0 to 1.
        rise = LEAST_BINS - 1 + (1 + _SIDE) / 2
        part = self._density(rise) @ (_SIDE_WEIGHT / 2 * (rise - LEAST_BINS + 1))
        self.whole = float(part + self.survival(np.array([LEAST_BINS]))[0])

    def _density(self, t: FloatArray) -> FloatArray:
        # Relative to that at the resolution, lest a steep law be lost in small numbers.
        return np.asarray(np.exp(-self._exponent * np.log(t / LEAST_BINS) - self._rate * (t - LEAST_BINS)))

    def mass(self, bins: IntArray) -> FloatArray:
        """(n,) of the dwells read as so many bins, ascending."""
        near = bins[bins < _FAR].astype(np.float64)
        far = bins[bins >= _FAR].astype(np.float64)
        close = self._density(near[:, None] + _OFFSET) @ _TRIANGLE
        return np.concatenate([close, self._density(far)])

    def survival(self, bins: IntArray) -> FloatArray:
        """(n,) of the dwells that last longer than so many bins."""
        log_unit = self._exponent * np.log(LEAST_BINS) + self._rate * LEAST_BINS
        return np.asarray(
            np.exp(log_survival(bins.astype(np.float64), self._exponent, self._rate) + log_unit)
        )
