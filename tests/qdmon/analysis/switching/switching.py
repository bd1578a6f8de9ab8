"""Light that switches, without photons: true dwells and what bins show of them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draw", "charged_share", "exponential", "power_law", "spread_rates", "switching"]

FloatArray = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], FloatArray]


def exponential(mean_s: float) -> Draw:
    """One rate for all dwells."""
    return lambda rng, count: np.asarray(rng.exponential(mean_s, count))


def spread_rates(low_hz: float, high_hz: float) -> Draw:
    """Rates k with density k^-1/2 between two limits: dwells fall as t^-1.5 between their inverses."""

    def draw(rng: np.random.Generator, count: int) -> FloatArray:
        root = np.sqrt(low_hz) + rng.random(count) * (np.sqrt(high_hz) - np.sqrt(low_hz))
        return np.asarray(rng.exponential(1 / root**2))

    return draw


def power_law(exponent: float, cutoff_s: float, shortest_s: float) -> Draw:
    """t^-m exp(-t/tc), m > 1, by rejection from the power law."""

    def draw(rng: np.random.Generator, count: int) -> FloatArray:
        kept = np.empty(0)
        while len(kept) < count:
            t = shortest_s * rng.random(4 * count) ** (-1 / (exponent - 1))
            kept = np.append(kept, t[rng.random(len(t)) < np.exp((shortest_s - t) / cutoff_s)])
        return kept[:count]

    return draw


def switching(rng: np.random.Generator, on: Draw, off: Draw, count: int) -> FloatArray:
    """(2 count,) instants at which the light goes off, on, off, ...; it is on at 0."""
    return np.cumsum(np.stack([on(rng, count), off(rng, count)], axis=1).ravel())


def charged_share(edges_s: FloatArray, bin_s: float, stop_s: float) -> FloatArray:
    """(n,) share of each whole bin up to `stop_s` in which the light is off."""
    times = np.concatenate([[0.0], edges_s])
    off = np.concatenate([[0.0], np.cumsum(np.diff(times) * (np.arange(len(edges_s)) % 2))])
    grid = np.interp(np.arange(int(stop_s / bin_s) + 1) * bin_s, times, off)
    return np.asarray(np.diff(grid) / bin_s)
