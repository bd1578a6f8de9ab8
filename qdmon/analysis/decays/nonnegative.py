"""Non-negative fit of counts by a sum of given curves, weighted by the counting noise of the fit itself."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

__all__ = ["fit_counts"]

FloatArray = NDArray[np.float64]


def fit_counts(
    curves: FloatArray, counts: FloatArray, known: FloatArray | float = 0.0
) -> tuple[FloatArray, float]:
    """Amplitudes of the curves, none negative, and the chi-squared of the fit.

    Weights come from the model, not the data: Neyman's weights are biased for few counts.

    Args:
        curves: (n, k) one curve a column.
        counts: (n,) counts to fit.
        known: (n,) counts expected beside the curves.
    """
    expected = counts
    amplitudes, chi2 = np.zeros(curves.shape[1]), 0.0
    for _ in range(3):
        weight = 1 / np.sqrt(np.maximum(expected, 1.0))
        amplitudes, residual = nnls(curves * weight[:, None], (counts - known) * weight)
        chi2 = float(residual) ** 2
        expected = curves @ amplitudes + known
    return np.asarray(amplitudes, np.float64), chi2
