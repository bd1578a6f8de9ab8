"""Chances that a pulse excites a dot once, or more than once, and the light that follows: Poisson in <N>."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc

__all__ = ["brightness_ratio", "excited", "excited_twice"]

FloatArray = NDArray[np.float64]


def excited(mean_excitation: ArrayLike) -> FloatArray:
    """Chance of at least one exciton, 1 - exp(-<N>)."""
    return np.asarray(-np.expm1(-np.asarray(mean_excitation, np.float64)))


def excited_twice(mean_excitation: ArrayLike) -> FloatArray:
    """Chance of at least two, 1 - (1 + <N>) exp(-<N>), without cancellation at low <N>."""
    return np.asarray(gammainc(2.0, np.asarray(mean_excitation, np.float64)))


def brightness_ratio(now: float | None, then: float | None) -> float:
    """Light of a dot at one <N> over that at another, 1 - exp(-<N>) each; 1 where one is unknown."""
    if now is None or not then:
        return 1.0
    return float(np.expm1(-now) / np.expm1(-then))
