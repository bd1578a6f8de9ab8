"""Photons of a pulsed dot that will fire a detector: cost per photon, not per pulse.

Most pulses give nothing. Within one stretch of a path all pulses are alike and independent, so the gap
to the next pulse with a click is geometric, and what that pulse gave is one draw among four:
an exciton's photon; the exciton's photon of a pair whose first was lost; the first of a pair alone;
both. That keeps g2(0) exact. The dot is taken to be empty again at every pulse, and more than two
excitons to act as two, the rest being gone at once.
"""

import numpy as np
from numpy.typing import NDArray

from hardware.jit import jit
from hardware.sim.dot import Exciton
from hardware.sim.optics import Setup
from hardware.sim.photophysics import emission
from hardware.sim.state import StatePath
from hardware.sim.trajectory import excited, excited_twice

__all__ = ["dot_photons"]

_Floats = NDArray[np.float64]


def dot_photons(
    exciton: Exciton, setup: Setup, path: StatePath, edges: NDArray[np.int64], rng: np.random.Generator
) -> tuple[_Floats, NDArray[np.uint8]]:
    """Photons of the dot that fire an ideal detector, roughly in order of time.

    Args:
        exciton: fast photophysics of the dot.
        setup: splitter, efficiency and pulse rate.
        path: the dot's state in k stretches under one and the same <N>.
        edges: (k + 1,) int64, first pulse of each stretch and the pulse after the last.
        rng: source of chance.

    Returns:
        (n,) float64 arrival times in ns since pulse 0, and (n,) uint8 channels 0 and 1.
    """
    light = emission(exciton, path)
    mean_excitation = float(path.mean_excitation[0])
    alive = 1.0 - path.capture
    twice = alive * excited_twice(mean_excitation)
    once = alive * excited(mean_excitation) - twice
    single = setup.efficiency * light.quantum_yield
    first = setup.efficiency * light.pair_quantum_yield
    late, early, both = (1.0 - first) * single, first * (1.0 - single), first * single
    chances = np.stack([once * single, twice * late, twice * early, twice * both], axis=1)
    times, channels = _draw(
        rng, edges, chances, light.lifetime_ns, light.pair_lifetime_ns, setup.period_ns, setup.splitter
    )
    return times, channels


@jit
def _draw(
    rng: np.random.Generator,
    edges: NDArray[np.int64],
    chances: _Floats,
    lifetime_ns: _Floats,
    pair_lifetime_ns: _Floats,
    period_ns: float,
    splitter: float,
) -> tuple[_Floats, NDArray[np.uint8]]:
    times = np.empty(1024, np.float64)
    channels = np.empty(1024, np.uint8)
    n = np.uint64(0)
    for i in range(len(lifetime_ns)):
        single, late = chances[i, 0], chances[i, 1]
        early, both = chances[i, 2], chances[i, 3]
        total = single + late + early + both
        if total <= 0.0:
            continue
        mean_gap = -1.0 / np.log1p(-total)
        pulse = float(edges[i]) + np.floor(mean_gap * rng.standard_exponential())
        while pulse < edges[i + 1]:
            if n + np.uint64(2) > np.uint64(len(times)):
                times = np.concatenate((times, np.empty_like(times)))
                channels = np.concatenate((channels, np.empty_like(channels)))
            now = pulse * period_ns
            kind = rng.random() * total
            if kind >= single:
                now += pair_lifetime_ns[i] * rng.standard_exponential()
                if kind >= single + late:
                    times[n] = now
                    channels[n] = 0 if rng.random() < splitter else 1
                    n += np.uint64(1)
            if kind < single + late or kind >= single + late + early:
                times[n] = now + lifetime_ns[i] * rng.standard_exponential()
                channels[n] = 0 if rng.random() < splitter else 1
                n += np.uint64(1)
            pulse += 1.0 + np.floor(mean_gap * rng.standard_exponential())
    return times[:n].copy(), channels[:n].copy()
