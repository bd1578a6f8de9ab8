"""Golden rows 9, 10, 11, 12 and 24: what many dots do, and how one dot switches.

The rows are those of the table of golden checks in the science notes. Ensembles follow the simulated dots'
slow states and count photons in bins; rows 10 and 11 photon by photon are in test_golden_experiments.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.sim.controls import quadratic_charging
from hardware.sim.photophysics import emission
from hardware.sim.presets import Preset, find_preset
from hardware.sim.simulation import slow_truth
from hardware.sim.spectra import EXCESS_NOISE_FACTOR, spectrum_counts, wavelengths_nm
from hardware.sim.state import Charge
from hardware.sim.truth import FluenceStep, Truth
from hardware.types import Acquisition, Photons, RecordLayout
from qdmon.analysis.bins import BinTable
from qdmon.analysis.conversion.spectrum import peak_nm
from qdmon.analysis.dot.verdict import undetermined
from qdmon.analysis.results.blinking import EmissiveState
from qdmon.analysis.results.segment import Charging
from qdmon.analysis.switching.blinks import blinking_rate_hz, find_blinks
from qdmon.analysis.switching.charging import ChargingCount, charging_exponent
from qdmon.analysis.switching.charging_rate import charging_rate
from qdmon.analysis.switching.dynamics import ROWS_TO_KEEP, Dynamics
from tests.qdmon.analysis import builders as b
from tests.qdmon.analysis.simulated import experiment
from tests.qdmon.analysis.switching.switching import charged_share

FloatArray = NDArray[np.float64]

STEPS = [FluenceStep(0.0, 0.2), FluenceStep(25.0, 1.4), FluenceStep(50.0, 0.2)]
FLUENCES = (0.03, 0.05, 0.08, 0.12, 0.2, 0.3)
ROW_S = 1e-3


def intensities(rate_cps: FloatArray, rng: np.random.Generator) -> tuple[EmissiveState, ...]:
    """The different intensities of light of these rates per millisecond, from its photons."""
    acq = Acquisition("T2", 1e6, None, 0, (0,), RecordLayout.GENERIC_T3, "counter", simulated=True)
    counts = rng.poisson(rate_cps * ROW_S)
    width = acq.pulses(ROW_S)
    pulse = np.repeat(np.arange(len(counts), dtype=np.uint64) * np.uint64(width), counts)
    nothing = np.zeros(len(pulse), np.uint8)
    dynamics, table = Dynamics(acq, 0, 120.0), BinTable(0, width, 1, len(counts) + ROWS_TO_KEEP)
    dynamics.follow(table, None)
    table.add_counts(Photons(pulse, nothing.astype(np.uint16), nothing), len(counts) * width)
    dynamics.advance([])
    dynamics.close()
    dynamics.refit(0, [], undetermined(0.0, 1.0, "counts only"), 0.0, 0.0)
    return dynamics.intensities


def bright_level(truth: Truth, start_s: float, stop_s: float, rng: np.random.Generator) -> float:
    """The brightest intensity of a dot at 40 kcps in a window, relative to that of a dot without losses."""
    path = truth.path.between(start_s, stop_s)
    # Lasting losses are in the yield, blinking in the trace.
    lasting = float(np.median(emission(truth.preset.dot.exciton, path).bright_quantum_yield))
    rate = 40e3 * truth.trace(start_s, stop_s, ROW_S) * lasting / truth.preset.dot.exciton.quantum_yield
    value = intensities(rate, rng)[0].intensity_cps.value
    assert value is not None
    return value


def line_nm(truth: Truth, start_s: float, rng: np.random.Generator) -> float:
    """Centre of the spectrum of five seconds."""
    counts = spectrum_counts(truth, start_s, start_s + 5.0, rng)
    value = peak_nm(wavelengths_nm(truth.preset), counts, EXCESS_NOISE_FACTOR).value
    assert value is not None
    return value


@cache
def ensemble() -> tuple[Truth, ...]:
    """A hundred converting dots, each with its own shift and loss, 6.5 nm and 10 % in the mean."""
    rng = np.random.default_rng(9)
    preset = find_preset("cdse-zns-2nm")
    assert preset.dot.conversion is not None
    dots = []
    for seed in range(100):
        changed = replace(
            preset.dot.conversion, shift_nm=rng.normal(6.5, 1.5), intensity_loss=rng.uniform(0.04, 0.16)
        )
        dots.append(
            slow_truth(replace(preset, dot=replace(preset.dot, conversion=changed)), seed, STEPS, 75.0)
        )
    return tuple(dots)


def test_row_09_the_lines_of_a_hundred_dots_shift_by_6_5_nm_in_the_mean() -> None:
    rng = np.random.default_rng(1)
    shifts = [line_nm(dot, 65.0, rng) - line_nm(dot, 10.0, rng) for dot in ensemble()]
    true = [dot.peak_nm(67.5) - dot.peak_nm(12.5) for dot in ensemble()]

    assert float(np.mean(shifts)) == pytest.approx(6.5, abs=0.5)
    assert float(np.mean(shifts)) == pytest.approx(float(np.mean(true)), abs=0.2)


def test_row_09_the_bright_levels_of_the_dots_lose_10_percent_in_the_mean() -> None:
    rng = np.random.default_rng(2)
    dots = ensemble()[:30]
    losses = [1 - bright_level(d, 58.0, 66.0, rng) / bright_level(d, 5.0, 13.0, rng) for d in dots]
    true = [d.preset.dot.conversion.intensity_loss for d in dots if d.preset.dot.conversion is not None]

    assert float(np.mean(losses)) == pytest.approx(0.10, abs=0.02)
    assert float(np.mean(losses)) == pytest.approx(float(np.mean(true)), abs=0.01)


def converting_dots(count: int) -> list[Truth]:
    preset = find_preset("cdse-zns-2nm")
    return [slow_truth(preset, seed, STEPS, 75.0) for seed in range(count)]


def test_row_10_the_bright_level_of_the_2nm_dots_loses_15_percent() -> None:
    rng = np.random.default_rng(3)
    losses = [
        1 - bright_level(dot, 55.0, 70.0, rng) / bright_level(dot, 5.0, 20.0, rng)
        for dot in converting_dots(8)
    ]

    assert 0.13 <= float(np.mean(losses)) <= 0.17
    assert all(0.12 <= loss <= 0.18 for loss in losses)


@pytest.mark.parametrize(("start_s", "blinks_hz"), [(0.0, 2.8), (50.0, 3.4)])
def test_row_11_the_dots_blink_2_8_times_a_second_before_and_3_4_times_after(
    start_s: float, blinks_hz: float
) -> None:
    """Counted from photons in bins of 10 ms between the levels of the paper's dot."""
    rng = np.random.default_rng(4)
    exciton = find_preset("cdse-zns-2nm").dot.exciton
    dim = exciton.radiative_ratio * exciton.trion_lifetime_ns / exciton.lifetime_ns
    rates = []
    for dot in converting_dots(20):
        counts = rng.poisson(1500 * dot.trace(start_s, start_s + 25.0, 0.01)).astype(np.float64)
        rates.append(blinking_rate_hz(counts, 0.01, 1500.0, 1500.0 * dim))

    assert float(np.median(np.array(rates, np.float64))) == pytest.approx(blinks_hz, abs=0.3)


def counted(preset: Preset, mean_excitation: float, seconds: float, seed: int) -> ChargingCount:
    """Chargings of a dot at one fluence, in bins of 2 ms."""
    truth = slow_truth(preset, seed, [FluenceStep(0.0, mean_excitation)], seconds)
    charged = (truth.path.charge != Charge.NEUTRAL).astype(np.int8)
    changes = np.flatnonzero(np.diff(charged)) + 1
    auger = 0.63 * charged_share(truth.path.start_s[changes], 0.002, seconds)
    rate = charging_rate(find_blinks(auger, np.zeros(len(auger))), len(auger), 0.002)
    count = rate.at(mean_excitation) if rate is not None else None
    assert count is not None
    return count


@dataclass(frozen=True)
class Law:
    """A dot that charges by one law, and how long it takes to hold forty events at a fluence."""

    preset: Preset
    exponent: int
    rate_hz: float

    def seconds(self, mean_excitation: float) -> float:
        return 40 / (self.rate_hz * mean_excitation**self.exponent)


LAWS = {
    "linear": Law(find_preset("cdse-zns-2nm"), 1, 24.0),
    "quadratic": Law(quadratic_charging(), 2, 150.0),
}


@pytest.mark.parametrize("law", LAWS)
def test_row_12_six_fluences_give_the_exponent_of_the_charging_rate(law: str) -> None:
    """1.0 +- 0.15 for the linear preset, 2.0 +- 0.2 for the quadratic one."""
    dots = LAWS[law]
    found: list[Charging] = []
    for dot in range(20):
        seeds = range(100 * dot, 100 * dot + len(FLUENCES))
        counts = [
            counted(dots.preset, n, dots.seconds(n), seed) for n, seed in zip(FLUENCES, seeds, strict=True)
        ]
        found.append(charging_exponent(counts))
    values = np.array([c.exponent.value for c in found], np.float64)
    errors = np.array([c.exponent.error for c in found], np.float64)

    tolerance = 0.15 if law == "linear" else 0.2
    assert float(values.mean()) == pytest.approx(dots.exponent, abs=0.06)
    assert float(np.mean(np.abs(values - dots.exponent) < tolerance)) >= 0.85
    assert 0.5 <= float(np.mean(np.abs(values - dots.exponent) < errors)) <= 0.9
    assert sum(c.law == law for c in found) >= 19


@pytest.mark.parametrize("law", LAWS)
def test_row_12_the_same_photon_by_photon(law: str) -> None:
    """A dot that charges ten times as often as the presets, so that seconds of light do."""
    preset, exponent = LAWS[law].preset, LAWS[law].exponent
    charging = preset.dot.charging
    assert charging is not None
    often = replace(charging, single=6 * charging.single, multiple=10 * charging.multiple)
    # A third as bright as the paper's dot: fewer photons to simulate.
    setup = replace(preset.setup, efficiency=preset.setup.efficiency / 3)
    dot = replace(preset, dot=replace(preset.dot, charging=often, conversion=None), setup=setup)

    found = experiment(dot, 2, ((0.04, 7.0), (0.1, 4.0), (0.2, 3.0))).watched.snapshot.charging

    assert found.exponent.value is not None
    assert found.exponent.error is not None
    assert abs(found.exponent.value - exponent) < 2 * found.exponent.error
    assert found.exponent.error < 0.3
    assert found.law == law


def dot_of_levels(rng: np.random.Generator, rates_cps: tuple[float, ...]) -> FloatArray:
    """Rate per millisecond of 20 s of light that jumps between levels every 0.15 s or so."""
    rate: list[float] = []
    at = 0
    while len(rate) < 20_000:
        rate += [rates_cps[at]] * (1 + int(rng.exponential(150)))
        at = (at + int(rng.integers(1, len(rates_cps)))) % len(rates_cps)
    return np.array(rate[:20_000])


def test_row_24_as_many_of_17_dots_have_more_than_two_levels_as_were_given_them() -> None:
    """Twelve of seventeen (Bae 2016): three or four levels; the others two."""
    rng = np.random.default_rng(24)
    given = [(40e3, 10e3)] * 5 + [(40e3, 24e3, 8e3)] * 7 + [(48e3, 30e3, 17e3, 7e3)] * 5

    found = [len(intensities(dot_of_levels(rng, levels), rng)) for levels in given]

    assert sum(n > 2 for n in found) == 12
    assert np.mean(np.array(found) == [len(levels) for levels in given]) >= 0.9


def test_row_24_a_quasi_continuum_is_not_forced_into_two_levels() -> None:
    """Six traps that open and close on their own: sixty-four intensities (CsPbBr3, Palstra 2021)."""
    rng = np.random.default_rng(25)
    truth = slow_truth(find_preset("mapbbr3"), 3, [FluenceStep(0.0, 0.1)], 25.0)

    found = intensities(60e3 * truth.trace(0.0, 25.0, ROW_S), rng)

    assert len(found) >= 5


def test_row_24_the_papers_dot_has_two() -> None:
    rng = np.random.default_rng(26)
    dwells = b.auger_dot(rng, 20.0)
    rate = np.concatenate([np.full(round(d.duration_s / ROW_S), d.rate_cps) for d in dwells])

    assert len(intensities(rate, rng)) == 2
