"""Do intensity and lifetime of a dot's levels move together? A correlation that asks for no model."""

from collections.abc import Sequence

import numpy as np

from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.intensity import Level

__all__ = ["intensity_lifetime_correlation"]

FEWEST_LEVELS = 5
# No level tells its place in the relation better than the set-up is steady.
STEADINESS = 0.03
# Lifetimes that differ by less do not differ: a ratio of rounding errors is no correlation.
LEAST_RESPONSE = 1e-6


def intensity_lifetime_correlation(levels: Sequence[Level]) -> Estimate:
    """Correlation of ln(rate) and ln(lifetime) over levels, each weighted by what its photons tell.

    Near 1 where both fall together, as in Auger and BC blinking; 0 where the lifetime stays (hc). The
    scatter of the levels' own errors is in it and draws it towards 0; light near the background is only as
    good as the background. It says that two numbers move together, not why.

    Args:
        levels: those going on, without a lifetime or without net light are left out.

    Returns:
        The coefficient with its standard error, (1 - r^2) over the root of the effective number of levels
        less one; unknown for fewer than five effective levels or where all are equally bright.
    """
    used = [
        (rate.value, rate.error, tau.value, tau.error)
        for rate, tau in ((x.rate_cps, x.lifetime_ns) for x in levels if not x.provisional)
        if rate.value and rate.value > 0 and rate.error and tau.value and tau.error
    ]
    if len(used) < FEWEST_LEVELS:
        return UNKNOWN
    rate, rate_error, tau, tau_error = np.array(used, np.float64).T
    weight = 1 / ((rate_error / rate) ** 2 + (tau_error / tau) ** 2 + STEADINESS**2)
    effective = float(weight.sum() ** 2 / np.square(weight).sum())
    weight /= weight.sum()
    x, y = (np.log(v) - weight @ np.log(v) for v in (rate, tau))
    spread, response = float(np.sqrt(weight @ np.square(x))), float(np.sqrt(weight @ np.square(y)))
    if effective < FEWEST_LEVELS or spread < STEADINESS:
        return UNKNOWN
    r = float(np.clip((weight @ (x * y)) / (spread * max(response, LEAST_RESPONSE)), -1, 1))
    return Estimate(r, (1 - r**2) / float(np.sqrt(effective - 1)))
