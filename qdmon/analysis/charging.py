"""How the charging rate grows with <N>: linearly (single-exciton ionisation) or quadratically (Auger)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdmon.analysis.snapshot import UNKNOWN, Charging, Estimate

__all__ = ["ChargingCount", "charging_exponent"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChargingCount:
    """Charging events seen at one fluence.

    Attributes:
        mean_excitation: <N>.
        events: number of neutral-to-charged switches.
        neutral_s: time the dot was neutral.
    """

    mean_excitation: float
    events: int
    neutral_s: float


def charging_exponent(counts: list[ChargingCount]) -> Charging:
    """Exponent k of rate = a <N>^k by Poisson regression; unknown below two fluences or ten events.

    For <N> below 0.3, N and N^2 stand for 1 - exp(-N) and P(n >= 2) to within a few per cent.
    """
    usable = [c for c in counts if c.mean_excitation > 0 and c.neutral_s > 0]
    if len({c.mean_excitation for c in usable}) < 2 or sum(c.events for c in usable) < 10:
        return Charging(UNKNOWN)
    x = np.log([c.mean_excitation for c in usable])
    events = np.array([float(c.events) for c in usable])
    time = np.array([c.neutral_s for c in usable])
    design = np.stack([np.ones_like(x), x], axis=1)
    beta = np.array([np.log(events.sum() / time.sum()) - x.mean(), 1.0])
    for _ in range(50):
        expected = time * np.exp(design @ beta)
        information = design.T @ (design * expected[:, None])
        if np.linalg.cond(information) > 1e12:
            return Charging(UNKNOWN)
        step = np.linalg.solve(information, design.T @ (events - expected))
        # A full step from a poor start overshoots; the likelihood is concave, so a shorter one climbs.
        while np.abs(step).max() > 1e-9 and _gain(step, beta, design, events, time) < 0:
            step = step / 2
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    error = float(np.sqrt(np.linalg.inv(information)[1, 1]))
    return Charging(Estimate(float(beta[1]), error))


def _gain(
    step: FloatArray, beta: FloatArray, design: FloatArray, events: FloatArray, time: FloatArray
) -> float:
    """What a step adds to the Poisson log-likelihood."""
    old, new = design @ beta, design @ (beta + step)
    with np.errstate(over="ignore"):
        return float(events @ (new - old) - time @ (np.exp(new) - np.exp(old)))
