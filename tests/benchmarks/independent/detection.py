"""From photons to records: splitting, response, scattered light, background, dead time, after-pulses."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hardware.types import Acquisition, Photons, RecordLayout
from tests.benchmarks.independent.dot import Case, SetUp
from tests.benchmarks.independent.light import Emission, hits
from tests.benchmarks.independent.path import Path

__all__ = ["acquisition_of", "detect"]

Floats = NDArray[np.float64]
AFTERPULSE_NS = 50.0
FWHM_PER_SIGMA = 2.3548


def acquisition_of(setup: SetUp) -> Acquisition:
    """What the card says of itself."""
    return Acquisition(
        mode="T3",
        macro_tick_ps=setup.period_ns * 1000,
        resolution_ps=setup.resolution_ps,
        nanotime_bins=int(np.ceil(setup.period_ns * 1000 / setup.resolution_ps)),
        channels=(0, 1),
        layout=RecordLayout.GENERIC_T3,
        instrument="independent simulation",
        simulated=True,
    )


def detect(case: Case, path: Path, emission: Emission, rng: Generator) -> Photons:
    """What the card records."""
    setup, emitter = case.setup, case.emitter
    period_s, stop = setup.period_ns * 1e-9, float(path.edges[-1])
    relative = path.excitation / emitter.at_excitation
    laser, _ = hits(setup.scatter * emitter.bright_cps * relative * period_s, path.edges, period_s, rng)
    pulse = np.append(emission.pulse, laser)
    late = np.append(emission.delay_ns, np.zeros(len(laser)))
    late += setup.pulse_at_ns + rng.normal(0, setup.fwhm_ps / 1000 / FWHM_PER_SIGMA, len(late))
    if setup.tail_share > 0:
        late += (rng.random(len(late)) < setup.tail_share) * rng.exponential(setup.tail_ns, len(late))
    ambient = setup.background_cps * (1 - setup.following + setup.following * relative)
    counts = rng.poisson(ambient * np.diff(path.edges))
    inside = np.repeat(np.arange(len(counts)), counts)
    uniform = path.edges[inside] + rng.random(len(inside)) * np.diff(path.edges)[inside]
    lit = rng.random(len(late)) < setup.second_share
    shade = rng.random(len(uniform)) < 0.5
    clicks = [
        _clicks(
            np.append(
                pulse[lit == second] * setup.period_ns + late[lit == second] + second * setup.delay_ns,
                uniform[shade == second] * 1e9,
            ),
            setup,
            rng,
        )
        for second in (False, True)
    ]
    return _records(clicks, setup, stop)


def _clicks(times_ns: Floats, setup: SetUp, rng: Generator) -> Floats:
    """Clicks of one detector: those that find it ready, and the after-pulses they cause."""
    if setup.afterpulse > 0:
        again = times_ns[rng.random(len(times_ns)) < setup.afterpulse]
        echoes = again + setup.dead_ns + rng.exponential(AFTERPULSE_NS, len(again))
        times_ns = np.append(times_ns, echoes)
    times_ns = np.sort(times_ns)
    while setup.dead_ns > 0:
        near = np.zeros(len(times_ns), bool)
        near[1:] = np.diff(times_ns) < setup.dead_ns
        near[1:] &= ~near[:-1]  # a photon that is not seen blinds nobody
        if not near.any():
            break
        times_ns = times_ns[~near]
    return times_ns


def _records(clicks: list[Floats], setup: SetUp, stop_s: float) -> Photons:
    """Clicks of both detectors in order, as pulse and TCSPC bin."""
    times = np.concatenate(clicks)
    channel = np.repeat(np.array([0, 1], np.uint8), [len(c) for c in clicks])
    keep = (times >= 0) & (times < stop_s * 1e9)
    times, channel = times[keep], channel[keep]
    order = np.argsort(times)
    times, channel = times[order], channel[order]
    pulse = np.floor(times / setup.period_ns)
    within_ps = (times - pulse * setup.period_ns) * 1000
    nanotime = np.clip(within_ps / setup.resolution_ps, 0, 65535).astype(np.uint16)
    return Photons(pulse.astype(np.uint64), nanotime, channel)
