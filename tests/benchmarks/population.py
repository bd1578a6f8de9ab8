"""Dots nobody tuned to: photophysics, set-up and background drawn at random, for the verdict's benchmark.

The standard population is as bright as the paper's dots; the hard one is four times dimmer, switches up to
300 times a second, has a background of up to 1.8 kcps and in every third dot a second charged state.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hardware.sim.dot import Charging, Dot, Exciton, Traps
from hardware.sim.optics import Setup
from hardware.sim.presets import Preset
from hardware.sim.trajectory import excited, excited_twice

__all__ = ["KINDS", "Population", "RandomDot", "random_dot"]

Population = Literal["standard", "hard"]
KINDS = ("auger", "bc", "mixed", "hc")


@dataclass(frozen=True)
class RandomDot:
    """A dot and how it is looked at.

    Attributes:
        preset: for the simulator.
        seed: of its chance.
        mean_excitation: <N>.
        kind: what it was made to be; what it does in a window is the truth's to say.
        bright_cps: detected rate of the neutral bright state, biexcitons included, net of background.
        dim_cps: that of the main charged state.
        background_cps: per detector.
    """

    preset: Preset
    seed: int
    mean_excitation: float
    kind: str
    bright_cps: float
    dim_cps: float
    background_cps: float


def random_dot(population: Population, period_ns: float, seed: int) -> RandomDot:
    """The dot of this number; kinds take turns.

    Args:
        population: how hard it is.
        period_ns: of the laser, 100 or 200.
        seed: number of the dot.
    """
    hard = population == "hard"
    rng = np.random.default_rng([seed, round(period_ns), hard])
    kind = KINDS[seed % len(KINDS)]
    mean_excitation = _log_uniform(rng, 0.05, 0.3)
    tau_ns = rng.uniform(10.0, 28.0 if period_ns < 150 else 36.0)
    ratio, beta = rng.uniform(0.12, 0.3), rng.uniform(1.6, 2.3)
    exciton = Exciton(
        lifetime_ns=tau_ns,
        trion_lifetime_ns=tau_ns * ratio,
        radiative_ratio=beta,
        quantum_yield=rng.uniform(0.85, 0.98),
        biexciton_yield_ratio=rng.uniform(0.02, 0.12),
    )
    bright_cps = 100 * (_log_uniform(rng, 80, 400) if hard else _log_uniform(rng, 300, 1500))
    dim_cps = bright_cps * ratio * beta
    total_cps = _log_uniform(rng, 0.01, 0.2) * dim_cps
    if hard:
        total_cps = min(_log_uniform(rng, 0.05, 0.6) * dim_cps, 1800.0)
    rate_hz = 1e9 / period_ns
    grey = 0.4 if hard and rng.random() < 1 / 3 else 0.0
    dot = Dot(exciton=exciton, charging=None, peak_nm=620.0, linewidth_nm=24.0)
    charging = _charging(rng, rate_hz * excited(mean_excitation), grey)
    traps = _traps(rng, 300.0 if hard else 30.0)
    if kind in ("auger", "mixed"):
        dot = replace(dot, charging=charging)
    if kind in ("bc", "mixed"):
        dot = replace(dot, traps=traps)
    if kind == "hc":
        strength = (0.3, 0.85)
        dot = replace(dot, hot_traps=replace(traps, strength=strength))
    setup = Setup(
        pulse_rate_hz=rate_hz,
        efficiency=bright_cps / (rate_hz * excited(mean_excitation) * exciton.quantum_yield),
        splitter=rng.uniform(0.4, 0.6),
        detector_fwhm_ns=rng.uniform(0.05, 0.45),
        delay_ns=(rng.uniform(2.0, 8.0), rng.uniform(2.0, 8.0)),
        dark_cps=0.0,
        room_light_cps=total_cps / 2,
        laser_light_cps=0.0,
        scatter=_log_uniform(rng, 1e-6, 1e-4),
        afterpulse=rng.uniform(0.0, 0.01),
        dead_time_ns=rng.uniform(20.0, 40.0),
    )
    preset = Preset(
        name=f"{population}-{kind}-{period_ns:g}",
        sample="random dot",
        behaviour=kind,
        fluences=(mean_excitation,),
        dot=dot,
        setup=setup,
    )
    # Pulses with two or more excitons give an early photon beside the late one.
    pairs = exciton.biexciton_yield_ratio * excited_twice(mean_excitation) / excited(mean_excitation)
    return RandomDot(
        preset,
        seed,
        mean_excitation,
        kind,
        bright_cps * (1 + pairs),
        dim_cps + bright_cps * pairs * exciton.charged_biexciton_yield,
        total_cps / 2,
    )


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(low * (high / low) ** rng.random())


def _charging(rng: np.random.Generator, excited_hz: float, grey: float) -> Charging:
    slow_hz = rng.uniform(3.0, 12.0)
    return Charging(
        single=rng.uniform(1.0, 6.0) / excited_hz,
        multiple=0.0,
        neutralisation_hz=(slow_hz, slow_hz * _log_uniform(rng, 1.0, 15.0)),
        grey=grey,
    )


def _traps(rng: np.random.Generator, fastest_hz: float) -> Traps:
    count = int(rng.integers(1, 9))
    fast_hz = _log_uniform(rng, 5.0, fastest_hz)
    duty = rng.uniform(0.2, 0.5) / count
    return Traps(
        count=count,
        switching_hz=(max(fast_hz / 10, 2.0), fast_hz),
        duty=(duty / 2, duty * 1.5),
        strength=(_log_uniform(rng, 0.3, 1.0), _log_uniform(rng, 2.0, 6.0)),
    )
