"""Pulsed emitters on two detectors, pulse by pulse, and what g2(0) of a simulated dot really is."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hardware.sim.photophysics import emission
from hardware.sim.simulation import DotSimulation
from hardware.sim.trajectory import excited, excited_twice
from hardware.types import Photons
from qdmon.analysis.antibunching.chance import Counted, SteadyLight
from qdmon.analysis.antibunching.g2 import g2_from_pairs
from qdmon.analysis.antibunching.pairs import PairCounter, Pairs
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.pair_correlation import G2
from tests.qdmon.analysis import builders as b

PERIOD_NS = 200.0
T0_NS = (4.0, 4.64)
LIFETIME_NS = 20.0


def axis(period_ns: float = PERIOD_NS, t0_ns: Sequence[float] = T0_NS) -> TimeAxis:
    """Where the pulse lies on the time axis of the two detectors."""
    return TimeAxis.build(b.acquisition(period_ns), {i: 1e3 * t for i, t in enumerate(t0_ns)})


def emitter(
    rng: np.random.Generator,
    pulses: int,
    p: float,
    g2: float,
    *,
    shift: int = 0,
    period_ns: float = PERIOD_NS,
    t0_ns: Sequence[float] = T0_NS,
    lifetime_ns: float = LIFETIME_NS,
    biexciton_ns: float | None = None,
    filtered: float = 0.0,
) -> Photons:
    """Each detector clicks with probability p a pulse, both with g2 p^2; detector 1 `shift` pulses late.

    Args:
        rng: source of chance.
        pulses: how many.
        p: clicks of one detector per pulse.
        g2: pairs per pulse over p^2.
        shift: pulses by which the second detector is late, beside its `t0_ns`.
        period_ns: of the laser.
        t0_ns: delay of each detector.
        lifetime_ns: of the exciton.
        biexciton_ns: lifetime of the first photon of a pair, which the exciton's follows; None: the photons
            of a pair are those of two excitons that know nothing of each other.
        filtered: share of the biexcitons' photons that a filter keeps off the detectors.
    """
    both = _some(rng, pulses, g2 * p**2)
    alone = np.setdiff1d(_some(rng, pulses, 2 * (p - g2 * p**2)), both)
    side = rng.integers(0, 2, len(alone))
    exciton = rng.exponential(lifetime_ns, len(both))
    first = rng.exponential(lifetime_ns if biexciton_ns is None else biexciton_ns, len(both))
    if biexciton_ns is not None:
        exciton += first
    kept = rng.random(len(both)) >= filtered
    which = rng.integers(0, 2, len(both))
    pulse = np.concatenate([alone, both, both[kept]])
    channel = np.concatenate([side, which, 1 - which[kept]])
    after_ns = np.concatenate([rng.exponential(lifetime_ns, len(alone)), exciton, first[kept]])
    late = np.where(channel == 1, shift, 0)
    return clicks(pulse + late, after_ns + np.asarray(t0_ns)[channel], channel, pulses, period_ns)


def _some(rng: np.random.Generator, pulses: int, chance: float) -> NDArray[np.int64]:
    """Pulses at which something of this chance happens."""
    if chance <= 0:
        return np.empty(0, np.int64)
    expected = pulses * chance
    at = np.cumsum(rng.geometric(chance, int(expected + 8 * np.sqrt(expected)) + 20)) - 1
    return at[at < pulses]


def clicks(
    pulse: NDArray[np.int64],
    time_ns: NDArray[np.float64],
    channel: NDArray[np.int64],
    pulses: int,
    period_ns: float = PERIOD_NS,
) -> Photons:
    """What a card makes of photons at some time after the start of a pulse, in order of time."""
    acq = b.acquisition(period_ns)
    pulse = pulse + np.floor(time_ns / period_ns).astype(np.int64)
    nanotime = (time_ns % period_ns) * 1e3 / float(acq.resolution_ps or 1.0)
    order = np.lexsort((nanotime, pulse))
    order = order[(pulse[order] >= 0) & (pulse[order] < pulses)]
    return Photons(
        pulse[order].astype(np.uint64),
        np.minimum(nanotime[order], acq.nanotime_bins - 1).astype(np.uint16),
        channel[order].astype(np.uint8),
    )


def pairs_of(photons: Photons, edges: Sequence[int], at: TimeAxis) -> Pairs:
    """Pairs of a stream that comes in pieces."""
    counter = PairCounter((0, 1), at)
    for first, stop in itertools.pairwise(edges):
        counter.add(photons.between(first, stop), first, stop)
    return counter.pairs


def g2_of(
    photons: Photons,
    pulses: int,
    *,
    at: TimeAxis | None = None,
    background_cps: Mapping[int, Estimate] | float = 0.0,
    delay_ns: float | None = None,
    known: bool = True,
    expected_lag: int = 0,
) -> G2:
    """g2 of some photons."""
    at = axis() if at is None else at
    if not isinstance(background_cps, Mapping):
        background_cps = dict.fromkeys((0, 1), Estimate(background_cps))
    light = SteadyLight(background_cps, known=known)
    counted = Counted.of(pairs_of(photons, [0, pulses], at), (0, 1), at, light)
    return g2_from_pairs(counted, (0, 1), at, delay_ns, expected_lag)


def true_g2(simulation: DotSimulation, mean_excitation: float) -> float:
    """g2(0) of a simulated dot so far: pairs of one pulse over the square of the light, each state weighed.

    With P1 and P2 the chances of one and of two or more excitons and q, q_XX the yields, a pulse gives
    P2 q_XX q pairs and (P1 + P2) q + P2 q_XX photons; both are averaged over the time in each state. For
    <N> -> 0 this is q_XX/q.
    """
    path = simulation.truth.path
    light = emission(simulation.preset.dot.exciton, path)
    alive = 1 - path.capture
    lit, twice = alive * excited(mean_excitation), alive * excited_twice(mean_excitation)
    photons = lit * light.quantum_yield + twice * light.pair_quantum_yield
    pairs = twice * light.pair_quantum_yield * light.quantum_yield
    return float(2 * (path.duration_s @ pairs) / (path.duration_s @ np.square(photons)))


def dots_in_focus(
    dots: Sequence[DotSimulation], seconds: float, mean_excitation: float
) -> tuple[Photons, int]:
    """Photons of several dots under one laser, and the pulses looked at."""
    pulses = dots[0].acquisition().pulses(seconds)
    together = Photons.join([dot.advance(pulses, mean_excitation) for dot in dots])
    order = np.argsort(together.pulse, kind="stable")
    return Photons(together.pulse[order], together.nanotime[order], together.channel[order]), pulses
