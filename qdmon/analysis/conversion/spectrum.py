"""Centre of an emission spectrum: Gaussian plus constant by Poisson likelihood.

Least squares weighted with the fit's own expectation, again until it stands still, has its minimum where
the Poisson likelihood has its maximum: both ask that sum (n - m) dm/m vanish. A multiplied count scatters
more than Poisson's by the excess noise, which leaves that place and widens the error.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit

from qdmon.analysis.results.estimate import UNKNOWN, Estimate

__all__ = ["peak_nm"]

FloatArray = NDArray[np.float64]

# Height of a line in its own standard errors.
SIGNIFICANCE = 5.0
# The weights have settled when they move the centre by less than this part of its error.
SETTLED, MOST_ROUNDS = 0.01, 6


def _gaussian(x: FloatArray, height: float, centre: float, sigma: float, floor: float) -> FloatArray:
    return np.asarray(height * np.exp(-0.5 * np.square((x - centre) / sigma)) + floor)


def peak_nm(wavelength_nm: FloatArray, counts: FloatArray, excess_noise_factor: float) -> Estimate:
    """Centre wavelength with its standard error; unknown where there is no peak above the noise.

    Args:
        wavelength_nm: (p,) ascending.
        counts: (p,) counts per pixel.
        excess_noise_factor: variance over mean of a count.
    """
    floor = float(np.percentile(counts, 20))
    net = np.clip(counts - floor, 0, None)
    total = float(net.sum())
    if len(counts) < 8 or total < 50 or net.max() < 5 * np.sqrt(excess_noise_factor * (floor + 1)):
        return UNKNOWN
    start = float(wavelength_nm[np.argmax(np.convolve(net, np.ones(5), mode="same"))])
    width = max(float(np.sqrt(np.average(np.square(wavelength_nm - start), weights=net))), 1.0)
    guess = [float(net.max()), start, min(width, 15.0), floor]
    error = 0.0
    for _ in range(MOST_ROUNDS):
        # Weights from the model: those of the data would favour pixels that fluctuated down.
        noise = np.sqrt(excess_noise_factor * np.maximum(_gaussian(wavelength_nm, *guess), 1.0))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", OptimizeWarning)
                found, covariance = curve_fit(
                    _gaussian, wavelength_nm, counts, guess, sigma=noise, absolute_sigma=True, maxfev=400
                )
        except (RuntimeError, OptimizeWarning):
            return UNKNOWN
        moved = abs(float(found[1]) - guess[1])
        guess = [float(v) for v in found]
        error = float(np.sqrt(max(covariance[1, 1], 0.0)))
        if moved < SETTLED * error:
            break
    inside = wavelength_nm[0] < guess[1] < wavelength_nm[-1]
    # Noise has peaks too, a pixel wide or lost in their own uncertainty.
    broad = abs(guess[2]) > 2 * float(np.median(np.diff(wavelength_nm)))
    clear = guess[0] > SIGNIFICANCE * float(np.sqrt(max(covariance[0, 0], 0.0)))
    return Estimate(guess[1], error) if inside and broad and clear and 0 < error < np.inf else UNKNOWN
