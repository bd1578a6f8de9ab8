"""Chances that a pulse excites a dot once, or more than once: Poisson in the mean excitation <N>."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc

__all__ = ["excited", "excited_twice"]

FloatArray = NDArray[np.float64]


def excited(mean_excitation: ArrayLike) -> FloatArray:
    """Chance of at least one exciton, 1 - exp(-<N>)."""
    return np.asarray(-np.expm1(-np.asarray(mean_excitation, np.float64)))


def excited_twice(mean_excitation: ArrayLike) -> FloatArray:
    """Chance of at least two, 1 - (1 + <N>) exp(-<N>), without cancellation at low <N>."""
    return np.asarray(gammainc(2.0, np.asarray(mean_excitation, np.float64)))
