"""What goes wrong in a laboratory: dots and set-ups that a verdict must not be sure about without reason.

Each case takes a random dot and spoils it. The truth is the type the dot had, if it still has one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from hardware.sim.dot import Traps
from hardware.sim.simulation import DotSimulation
from hardware.types import Acquisition, Photons
from qdmon.analysis.settings import AnalysisSettings
from tests.benchmarks.population import RandomDot

__all__ = ["CASES", "Spoiled"]


@dataclass(frozen=True)
class Spoiled:
    """A recording and what may be said of it.

    Attributes:
        acquisition: its time base.
        photons: all of them, in order.
        settings: what the analysis was told.
        right: types that are right; empty where only "undetermined" is.
    """

    acquisition: Acquisition
    photons: Photons
    settings: AnalysisSettings = field(default_factory=AnalysisSettings)
    right: frozenset[str] = frozenset()


def _run(dot: RandomDot, seconds: float, seed_offset: int = 0) -> tuple[DotSimulation, Photons]:
    simulation = DotSimulation(dot.preset, dot.seed + seed_offset)
    pulses = simulation.acquisition().pulses(seconds)
    return simulation, simulation.advance(pulses, dot.mean_excitation)


def _type_of(simulation: DotSimulation, seconds: float) -> frozenset[str]:
    return frozenset({simulation.truth.window(0.0, seconds).blinking or "none"})


def _together(a: Photons, b: Photons) -> Photons:
    return _in_order(
        Photons(
            np.concatenate([a.pulse, b.pulse]),
            np.concatenate([a.nanotime, b.nanotime]),
            np.concatenate([a.channel, b.channel]),
        )
    )


def _in_order(photons: Photons) -> Photons:
    order = np.lexsort((photons.nanotime, photons.pulse))
    return Photons(photons.pulse[order], photons.nanotime[order], photons.channel[order])


def _with(acq: Acquisition, photons: Photons, nanotime_ns: np.ndarray) -> Photons:
    """The same photons at other arrival times, moved on to the next pulse where they pass the period."""
    period_ns, bin_ns = acq.macro_tick_ps / 1e3, (acq.resolution_ps or 1.0) / 1e3
    over = np.floor(nanotime_ns / period_ns)
    pulse = np.maximum(photons.pulse.astype(np.int64) + over.astype(np.int64), 0).astype(np.uint64)
    bins = np.clip((nanotime_ns - over * period_ns) / bin_ns, 0, acq.nanotime_bins - 1).astype(np.uint16)
    return _in_order(Photons(pulse, bins, photons.channel))


def _times_ns(acq: Acquisition, photons: Photons, rng: np.random.Generator) -> np.ndarray:
    return (photons.nanotime + rng.random(len(photons))) * (acq.resolution_ps or 1.0) / 1e3


def two_dots(dot: RandomDot, seconds: float) -> Spoiled:
    """Two dots of a kind in the focus, each with half the light."""
    half = replace(dot.preset, setup=replace(dot.preset.setup, efficiency=dot.preset.setup.efficiency / 2))
    dot = replace(dot, preset=half)
    first, a = _run(dot, seconds)
    _, b = _run(dot, seconds, 1_000_000)
    acq = first.acquisition()
    return Spoiled(acq, _together(a, b))


def _dark(dot: RandomDot, acq: Acquisition, first_pulse: int, stop_pulse: int) -> Photons:
    """The background of both detectors in some pulses."""
    rng = np.random.default_rng(dot.seed)
    n = rng.poisson(2 * dot.background_cps * acq.seconds(stop_pulse - first_pulse))
    return Photons(
        np.sort(rng.integers(first_pulse, stop_pulse, n)).astype(np.uint64),
        rng.integers(0, acq.nanotime_bins, n).astype(np.uint16),
        rng.integers(0, 2, n).astype(np.uint8),
    )


def bleaching(dot: RandomDot, seconds: float) -> Spoiled:
    """Gone half way: only background is left."""
    simulation, photons = _run(dot, seconds)
    acq = simulation.acquisition()
    stop = acq.pulses(seconds / 2)
    lit = photons.between(0, stop)
    dark = _dark(dot, acq, stop, acq.pulses(seconds))
    return Spoiled(acq, Photons.join([lit, dark]), right=_type_of(simulation, seconds / 2))


def _background(factor: float) -> Callable[[RandomDot, float], Spoiled]:
    def case(dot: RandomDot, seconds: float) -> Spoiled:
        simulation, photons = _run(dot, seconds)
        given: Mapping[int | None, float] = {None: dot.background_cps * factor}
        settings = AnalysisSettings(background_cps=given)
        return Spoiled(simulation.acquisition(), photons, settings, _type_of(simulation, seconds))

    return case


def drift(dot: RandomDot, seconds: float) -> Spoiled:
    """The pulse moves by 0.3 ns on the time axis while one looks."""
    simulation, photons = _run(dot, seconds)
    acq = simulation.acquisition()
    late_ns = 0.3 * photons.pulse / acq.pulses(seconds)
    times_ns = _times_ns(acq, photons, np.random.default_rng(dot.seed)) + late_ns
    return Spoiled(acq, _with(acq, photons, times_ns), right=_type_of(simulation, seconds))


def defocused(dot: RandomDot, seconds: float) -> Spoiled:
    """The stage creeps: a sixth of the light is lost and comes back, slowly. Some of the background, too."""
    simulation, photons = _run(dot, seconds)
    acq = simulation.acquisition()
    rng = np.random.default_rng(dot.seed)
    phase = 2 * np.pi * (photons.pulse / acq.pulses(1.6 * seconds) + rng.random())
    kept = rng.random(len(photons)) < 1 - 0.0833 * (1 + np.sin(phase))
    left = Photons(photons.pulse[kept], photons.nanotime[kept], photons.channel[kept])
    return Spoiled(acq, left, right=_type_of(simulation, seconds))


def stretched(dot: RandomDot, seconds: float) -> Spoiled:
    """Every decay is a spread of exponentials, 30 % wide."""
    setup = replace(dot.preset.setup, room_light_cps=0.0, afterpulse=0.0, scatter=0.0)
    simulation, photons = _run(replace(dot, preset=replace(dot.preset, setup=setup)), seconds)
    acq = simulation.acquisition()
    rng = np.random.default_rng(dot.seed)
    delay_ns = np.array(setup.delay_ns)[photons.channel]
    period_ns = acq.macro_tick_ps / 1e3
    after = (_times_ns(acq, photons, rng) - delay_ns) % period_ns
    early = after > period_ns - 2
    factor = np.where(early, 1.0, np.exp(0.3 * rng.standard_normal(len(photons)) - 0.045))
    times_ns = np.where(early, after - period_ns, after * factor) + delay_ns
    spread = _with(acq, photons, times_ns)
    both = _together(spread, _dark(dot, acq, 0, acq.pulses(seconds)))
    return Spoiled(acq, both, right=_type_of(simulation, seconds))


def saturated(dot: RandomDot, seconds: float) -> Spoiled:
    """Detectors that are blind for 3 us after each photon: the bright level is squashed."""
    setup = replace(dot.preset.setup, dead_time_ns=3000.0)
    simulation, photons = _run(replace(dot, preset=replace(dot.preset, setup=setup)), seconds)
    return Spoiled(simulation.acquisition(), photons, right=_type_of(simulation, seconds))


def charged_and_hot(dot: RandomDot, seconds: float) -> Spoiled:
    """Hot carriers are caught beside whatever else the dot does."""
    traps = Traps(count=3, switching_hz=(5.0, 25.0), duty=(0.07, 0.16), strength=(0.4, 0.8))
    preset = replace(dot.preset, dot=replace(dot.preset.dot, hot_traps=traps))
    simulation, photons = _run(replace(dot, preset=preset), seconds)
    truth = simulation.truth.window(0.0, seconds)
    # A part that can hardly be seen does not make the rest another type.
    plain = not 0.1 < (truth.hot_share or 0.0) <= 0.5
    right = _type_of(simulation, seconds) if plain else frozenset({"hc"})
    return Spoiled(simulation.acquisition(), photons, right=right)


CASES: dict[str, Callable[[RandomDot, float], Spoiled]] = {
    "two dots": two_dots,
    "bleaching": bleaching,
    "background given 2x": _background(2.0),
    "background given 0.5x": _background(0.5),
    "t0 drift 0.3 ns": drift,
    "light drifts by 17 %": defocused,
    "stretched decays": stretched,
    "saturated detectors": saturated,
    "hot carriers too": charged_and_hot,
}
