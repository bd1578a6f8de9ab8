"""What a textbook would measure on simulated photons, independent of the analysis package."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hardware.sim.dot import Charging
from hardware.sim.presets import Preset, find_preset
from hardware.sim.simulation import DotSimulation
from hardware.sim.truth import FluenceStep, Truth
from hardware.types import Photons


def quiet(preset: Preset) -> Preset:
    """The same dot in front of perfect detectors: no background, no after-pulses, no jitter, no delays."""
    setup = replace(
        preset.setup,
        dark_cps=0.0,
        room_light_cps=0.0,
        laser_light_cps=0.0,
        scatter=0.0,
        afterpulse=0.0,
        dead_time_ns=0.0,
        laser_fwhm_ns=0.0,
        detector_fwhm_ns=0.0,
        tail_fraction=0.0,
        delay_ns=(0.0, 0.0),
    )
    return replace(preset, setup=setup)


def always_neutral(name: str = "cdse-zns-2nm") -> Preset:
    """A preset's bright level alone."""
    preset = find_preset(name)
    return replace(preset, dot=replace(preset.dot, charging=None, traps=None, conversion=None))


def always_charged(name: str = "cdse-zns-2nm") -> Preset:
    """A preset's trion level: charged at once, neutral after hours."""
    preset = find_preset(name)
    stuck = Charging(single=1.0, multiple=0.0, neutralisation_hz=(1e-4, 1e-4))
    return replace(preset, dot=replace(preset.dot, charging=stuck, traps=None, conversion=None))


def watch(preset: Preset, seconds: float, mean_excitation: float, *, seed: int = 1) -> Photons:
    """Photons of a new dot."""
    pulses = round(seconds * preset.setup.pulse_rate_hz)
    return DotSimulation(preset, seed).advance(pulses, mean_excitation)


def protocol(fluences: Iterable[float], seconds: float = 25.0) -> list[FluenceStep]:
    """Equal steps, back to back."""
    return [FluenceStep(seconds * i, fluence) for i, fluence in enumerate(fluences)]


def mean_delay_ns(photons: Photons, preset: Preset) -> float:
    """Mean nanotime, taken at bin centres."""
    return float((photons.nanotime.mean() + 0.5) * preset.setup.resolution_ps * 1e-3)


def coincidences(photons: Photons, lag: int) -> int:
    """Pairs of a click of channel 0 at a pulse and one of channel 1 `lag` pulses later."""
    first = photons.pulse[photons.channel == 0].astype(np.int64)
    second = photons.pulse[photons.channel == 1].astype(np.int64) - lag
    left = np.searchsorted(first, second, side="left")
    return int((np.searchsorted(first, second, side="right") - left).sum())


def g2_zero(photons: Photons) -> tuple[float, float]:
    """Pulse-resolved g2(0) against the side peaks 2-10, and its Poisson error."""
    side = np.mean([coincidences(photons, lag) for lag in (*range(-10, -1), *range(2, 11))])
    centre = coincidences(photons, 0)
    return float(centre / side), float(np.sqrt(max(centre, 1)) / side)


def blinks_per_second(counts: NDArray[np.int64], bright: float, dim: float, bin_s: float = 0.01) -> float:
    """Switches from on to off in binned counts, with hysteresis at 42 % and 62 % of the gap."""
    low, high = dim + 0.42 * (bright - dim), dim + 0.62 * (bright - dim)
    clear = counts[(counts < low) | (counts > high)]
    return float(((clear[:-1] > high) & (clear[1:] < low)).sum() / (len(counts) * bin_s))


def binned(photons: Photons, preset: Preset, seconds: float, bin_s: float = 0.01) -> NDArray[np.int64]:
    """Counts of both channels per bin."""
    edges = np.arange(round(seconds / bin_s) + 1) * round(bin_s * preset.setup.pulse_rate_hz)
    return np.diff(np.searchsorted(photons.pulse, edges.astype(np.uint64)))


def median(truths: Iterable[Truth], start_s: float, stop_s: float, what: str) -> float:
    """Median of a window's property over dots."""
    return float(np.median([getattr(truth.window(start_s, stop_s), what) for truth in truths]))
