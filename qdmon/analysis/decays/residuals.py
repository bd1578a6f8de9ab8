"""Goodness of fit: is what a model leaves unexplained mere chance?

A reduced chi-squared of 1 can hide a wave in the residuals, so their order is tested as well.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

__all__ = ["Goodness", "goodness_of"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Goodness:
    """How well a model describes counts.

    Attributes:
        chi2_reduced: Pearson's chi-squared per degree of freedom.
        chi2_p: chance of one as large under the model.
        durbin_watson: 2 where neighbouring residuals know nothing of each other, less where they go
            together.
        order_p: chance of neighbours that go together as much, from the more telling of the
            Durbin-Watson and the runs test, allowing for the choice.
    """

    chi2_reduced: float
    chi2_p: float
    durbin_watson: float
    order_p: float

    @property
    def by_chance(self) -> bool:
        """Chance alone explains the residuals (0.1 % each)."""
        return min(self.chi2_p, self.order_p) >= 1e-3


def goodness_of(residuals: list[FloatArray], parameters: int) -> Goodness | None:
    """Tests of the residuals of a fit.

    Args:
        residuals: of one detector each, in order of time, in units of their expected standard deviation.
        parameters: that were fitted.

    Returns:
        None where no degree of freedom is left.
    """
    n = sum(map(len, residuals))
    freedom = n - parameters
    if freedom < 1:
        return None
    squares = sum(float(r @ r) for r in residuals)
    steps = sum(float(np.square(np.diff(r)).sum()) for r in residuals)
    pairs = sum(max(len(r) - 1, 0) for r in residuals)
    watson = steps / squares * n / max(pairs, 1) if squares > 0 else 2.0
    # What is fitted away takes some positive correlation with it: parameters spread over the pairs.
    watson_p = float(ndtr((watson - 2.0 * n / freedom) / (2.0 / np.sqrt(max(pairs, 1)))))
    smallest = min(watson_p, _runs_p(residuals))
    return Goodness(squares / freedom, float(chdtrc(freedom, squares)), watson, 1 - (1 - smallest) ** 2)


def _runs_p(residuals: list[FloatArray]) -> float:
    """Chance of so few changes of sign (Wald and Wolfowitz), all detectors together."""
    runs, mean, variance = 0.0, 0.0, 0.0
    for r in residuals:
        above = r > 0
        n, up = len(r), int(above.sum())
        if n < 2 or up in (0, n):
            continue
        runs += 1 + np.count_nonzero(np.diff(above))
        expected = 1 + 2 * up * (n - up) / n
        mean += expected
        variance += (expected - 1) * (expected - 2) / (n - 1)
    return float(ndtr((runs + 0.5 - mean) / np.sqrt(variance))) if variance > 0 else 1.0
