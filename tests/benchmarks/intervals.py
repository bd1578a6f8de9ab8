"""How often the stated 68 % intervals of g2(0) and of the charging exponent hold the truth.

    python -m tests.benchmarks.intervals [DOTS] [FIRST]

Random dots (population.py). g2(0): dots that do not blink, 25 s, so that the truth is that of one pulse:
twice the chance of a photon pair over the square of the mean number of photons, those that the laser scatters
among them. The charging exponent: dots that charge out of one exciton only or out of two only, so that it is
1 or 2, seen for 15 s at each of four fluences.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np

from hardware.sim.dot import Charging
from hardware.sim.simulation import DotSimulation
from hardware.sim.trajectory import excited, excited_twice
from qdmon.analysis.monitor import Monitor
from qdmon.analysis.results.estimate import Estimate
from streams.messages import End, Fluence, PhotonBatch, Segment, Session
from tests.benchmarks.population import RandomDot, random_dot
from tests.benchmarks.verdict import PERIODS_NS, analysed

FLUENCES, STEP_S, BATCH_S = (0.1, 0.2, 0.4, 0.8), 15.0, 0.5
Pull = tuple[float, float]


def zero_of(seed: int) -> Pull | None:
    """Error of g2(0) and the stated one of a dot that does not blink."""
    drawn = _drawn(seed, 0)
    dot = replace(drawn.preset.dot, charging=None)
    simulation = DotSimulation(replace(drawn.preset, dot=dot), seed)
    acq = simulation.acquisition()
    photons = simulation.advance(acq.pulses(25.0), drawn.mean_excitation)
    found = analysed(acq, photons, 25.0, drawn.mean_excitation).segments[-1].g2.zero
    exciton_yield = dot.exciton.quantum_yield
    pair_yield = exciton_yield * dot.exciton.biexciton_yield_ratio
    once, twice = excited(drawn.mean_excitation), excited_twice(drawn.mean_excitation)
    # The laser's scatter is there at every pulse, with the dot's light and with itself.
    setup = drawn.preset.setup
    own = setup.efficiency * (once * exciton_yield + twice * pair_yield)
    scattered = setup.scatter * drawn.mean_excitation
    pairs = 2 * setup.efficiency**2 * twice * pair_yield * exciton_yield + 2 * own * scattered + scattered**2
    return _pull(found, pairs / (own + scattered) ** 2)


def exponent_of(seed: int) -> Pull | None:
    """Error of the charging exponent and the stated one of a dot that charges in one way only."""
    drawn = _drawn(seed, 0)
    rng = np.random.default_rng([seed, 5])
    pulses_hz = drawn.preset.setup.pulse_rate_hz
    highest_hz, slow_hz = rng.uniform(3.0, 12.0), rng.uniform(6.0, 15.0)
    quadratic = bool(seed % 2)
    chance = highest_hz / pulses_hz / (excited_twice if quadratic else excited)(max(FLUENCES))
    charging = Charging(
        single=0.0 if quadratic else chance,
        multiple=chance if quadratic else 0.0,
        neutralisation_hz=(slow_hz, 4 * slow_hz),
    )
    preset = replace(drawn.preset, dot=replace(drawn.preset.dot, charging=charging))
    simulation = DotSimulation(preset, seed)
    acq = simulation.acquisition()
    monitor = Monitor()
    monitor.feed(Session("0" * 32, 0, "benchmark", "simulated"))
    monitor.feed(Segment(0, acq))
    for mean_excitation in FLUENCES:
        monitor.feed(Fluence(0, simulation.position, mean_excitation))
        for _ in range(round(STEP_S / BATCH_S)):
            first = simulation.position
            photons = simulation.advance(acq.pulses(BATCH_S), mean_excitation)
            monitor.feed(PhotonBatch(0, first, simulation.position, 0, photons))
    monitor.feed(End("done"))
    snapshot = monitor.snapshot()
    assert snapshot is not None
    return _pull(snapshot.charging.exponent, 2.0 if quadratic else 1.0)


def _drawn(seed: int, kind: int) -> RandomDot:
    return random_dot("standard", PERIODS_NS[seed % 2], 4 * seed + kind)


def _pull(found: Estimate, truth: float) -> Pull | None:
    return None if found.value is None or not found.error else (found.value - truth, found.error)


def main(dots: int, first: int) -> None:
    print("| number | dots | unknown | mean error | in its units | 68 % interval covers | 95 % |")
    print("|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(2) as pool:
        for name, of in (("g2(0)", zero_of), ("charging exponent", exponent_of)):
            pulls = list(pool.map(of, range(first, first + dots)))
            error, sd = np.array([p for p in pulls if p is not None]).T
            off = error / sd
            print(
                f"| {name} | {len(off)} | {dots - len(off)} | {error.mean():+.4f} | {off.mean():+.2f} |"
                f" {np.mean(np.abs(off) <= 1):.3f} | {np.mean(np.abs(off) <= 1.96):.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    given = [int(a) for a in sys.argv[1:]]
    main(*(given + [100, 0][len(given) :]))
