"""Photons leaving a dot, pulse by pulse: at most one from the exciton, one more from the biexciton."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tests.benchmarks.independent.dot import Case
from tests.benchmarks.independent.path import NEUTRAL, Path

__all__ = ["Emission", "emit"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Emission:
    """Photons that will be detected: the pulse and the time after it, in ns, unsorted."""

    pulse: Ints
    delay_ns: Floats


def hits(chance: Floats, edges: Floats, period_s: float, rng: Generator) -> tuple[Ints, Ints]:
    """Pulses that succeed, each with the chance of its interval: exact Bernoulli trials, without trying all.

    Events of a Poisson process of rate -ln(1 - chance)/period fall on a pulse at least once with that chance.

    Returns:
        pulses, ascending and distinct; and the interval of each.
    """
    rate = -np.log1p(-np.clip(chance, 0.0, 0.999)) / period_s
    total = np.concatenate([[0.0], np.cumsum(rate * np.diff(edges))])
    count = rng.poisson(total[-1])
    times = np.interp(np.sort(rng.random(count)) * total[-1], total, edges)
    pulse = np.floor(times / period_s).astype(np.int64)
    first = np.ones(len(pulse), bool)
    first[1:] = pulse[1:] != pulse[:-1]
    interval = np.searchsorted(edges, times[first], side="right") - 1
    return pulse[first], np.minimum(interval, len(chance) - 1)


def emit(case: Case, path: Path, rng: Generator) -> Emission:
    """All photons of the dot that will be detected, before jitter and dead time."""
    emitter, period_s = case.emitter, case.setup.period_ns * 1e-9
    efficiency = emitter.bright_cps * period_s / -np.expm1(-emitter.at_excitation)
    some = -np.expm1(-path.excitation)
    several = some - path.excitation * np.exp(-path.excitation)
    seen = efficiency * path.yields
    pulse, where = hits(some * seen, path.edges, period_s, rng)
    double_yield = emitter.biexciton * np.where(path.charge == NEUTRAL, 1.0, 0.5) * path.yields**0.5
    alight = path.yields > 0
    pulse2, where2 = hits(several * efficiency * double_yield * alight, path.edges, period_s, rng)
    lifetime2 = emitter.lifetime_ns * max(emitter.biexciton, 0.005) / 4
    # A pulse that gave a biexciton photon surely made an exciton: its photon is seen with chance `seen`.
    both = rng.random(len(pulse2)) < seen[where2]
    alone = ~np.isin(pulse, pulse2, assume_unique=True)
    pulse, where = np.append(pulse[alone], pulse2[both]), np.append(where[alone], where2[both])
    delay = rng.exponential(1.0, len(pulse)) * path.lifetime_ns[where]
    after_double = rng.random(len(pulse)) < (several / some)[where]
    after_double[len(pulse) - int(both.sum()) :] = True
    delay += after_double * rng.exponential(lifetime2, len(pulse))
    delay2 = rng.exponential(lifetime2, len(pulse2))
    return Emission(np.append(pulse, pulse2), np.append(delay, delay2))
