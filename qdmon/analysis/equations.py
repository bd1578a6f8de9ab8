"""The paper's intensity-lifetime relations and the mean of a folded decay, as plain functions.

Equation numbers are those of Yang et al., Small 2024, doi 10.1002/sml.202309134. Intensities may be in
any unit as long as it is one unit; lifetimes in ns.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "auger_intensity",
    "bc_intensity",
    "lifetime_from_window_mean",
    "mixed_intensity",
    "radiative_rate_ratio",
    "window_mean_ns",
]

FloatArray = NDArray[np.float64]


def radiative_rate_ratio(i1: float, tau1_ns: float, i2: float, tau2_ns: float) -> float:
    """Ratio beta = I2 tau1 / (I1 tau2): about 2 for exciton and trion, 1 for two levels of BC-blinking."""
    return i2 * tau1_ns / (i1 * tau2_ns)


def auger_intensity(tau_ns: ArrayLike, i1: float, tau1_ns: float, i2: float, tau2_ns: float) -> FloatArray:
    """Eq. 1: intensity of a bin that mixes neutral (I1, tau1) and charged (I2, tau2) in time."""
    tau = np.asarray(tau_ns, np.float64)
    return np.asarray(i1 * i2 * (tau2_ns - tau1_ns) / (i2 * (tau2_ns - tau) + i1 * (tau - tau1_ns)))


def bc_intensity(tau_ns: ArrayLike, i1: float, tau1_ns: float) -> FloatArray:
    """Eq. 2: intensity proportional to the lifetime, through the bright level."""
    return np.asarray(i1 * np.asarray(tau_ns, np.float64) / tau1_ns)


def mixed_intensity(
    tau_ns: ArrayLike, i1: float, tau1_ns: float, i2: float, tau2_ns: float, auger_share: float
) -> FloatArray:
    """Eq. 3 with A_Auger + A_BC = 1: the two relations weighted, anchored at the bright level."""
    auger = auger_intensity(tau_ns, i1, tau1_ns, i2, tau2_ns)
    return np.asarray(auger_share * auger + (1 - auger_share) * bc_intensity(tau_ns, i1, tau1_ns))


def window_mean_ns(tau_ns: ArrayLike, period_ns: float) -> FloatArray:
    """Mean arrival time of exp(-t/tau) folded into one pulse period: tau - T/(exp(T/tau) - 1).

    Truncation and wrap-around give the same density, so one formula serves both.
    """
    tau = np.maximum(np.asarray(tau_ns, np.float64), 1e-6)
    return np.asarray(tau - period_ns / np.expm1(np.minimum(period_ns / tau, 700.0)))


def lifetime_from_window_mean(mean_ns: ArrayLike, period_ns: float) -> FloatArray:
    """Inverse of `window_mean_ns` by Newton steps; NaN where no lifetime gives that mean (<= 0, >= T/2)."""
    mean = np.asarray(mean_ns, np.float64)
    possible = (mean > 0) & (mean < 0.48 * period_ns)
    target = np.where(possible, mean, 0.1 * period_ns)
    # Starting above the solution keeps Newton monotonic: the function is concave and increasing.
    tau = target / np.maximum(1 - 2 * target / period_ns, 0.04)
    for _ in range(12):
        x = np.minimum(period_ns / tau, 700.0)
        slope = 1 - np.square(x) * np.exp(-x) / np.square(np.expm1(-x))
        tau = np.maximum(tau - (window_mean_ns(tau, period_ns) - target) / np.maximum(slope, 1e-3), 1e-3)
    return np.where(possible, tau, np.nan)
