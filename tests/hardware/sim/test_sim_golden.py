"""The paper's numbers, found again in what the simulated dots really do."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from hardware.sim.controls import quadratic_charging
from hardware.sim.presets import PRESETS, Preset, find_preset, preset_names
from hardware.sim.simulation import DotSimulation, slow_truth
from hardware.sim.truth import Truth
from tests.hardware.sim import sim_measures as measure

SEEDS = range(20)


@functools.cache
def dots(name: str) -> tuple[Truth, ...]:
    """Twenty dots through the protocol of their preset, 25 s a step."""
    preset = find_preset(name)
    steps = measure.protocol(preset.fluences)
    return tuple(slow_truth(preset, seed, steps, 25.0 * len(steps)) for seed in SEEDS)


def step_types(name: str, step: int) -> list[str | None]:
    """Realised type of a step in every dot; where it converts, from when the traps have appeared."""
    types: list[str | None] = []
    for truth in dots(name):
        start, stop = 25.0 * step, 25.0 * (step + 1)
        if truth.conversion_s is not None and start < truth.conversion_s < stop:
            start = min(truth.conversion_s + 1.5, stop - 1.0)
        types.append(truth.window(start, stop).blinking)
    return types


def test_the_bright_level_of_the_2nm_dot_gives_760_counts_per_10ms_and_24_7_ns() -> None:
    preset = measure.quiet(measure.always_neutral())
    photons = measure.watch(preset, 10.0, 0.1)
    assert len(photons) / 1000 == pytest.approx(760.0, rel=0.005)
    assert measure.mean_delay_ns(photons, preset) == pytest.approx(24.639, rel=0.01)  # folded at 200 ns


def test_the_dim_level_of_the_2nm_dot_gives_280_counts_per_10ms_and_5_0_ns() -> None:
    preset = measure.quiet(measure.always_charged())
    photons = measure.watch(preset, 10.0, 0.1)
    assert len(photons) / 1000 == pytest.approx(280.0, rel=0.01)
    assert measure.mean_delay_ns(photons, preset) == pytest.approx(5.0, rel=0.015)


def test_the_radiative_rate_ratio_of_the_2nm_dot_is_1_82() -> None:
    bright = measure.quiet(measure.always_neutral())
    dim = measure.quiet(measure.always_charged())
    first, second = measure.watch(bright, 10.0, 0.1), measure.watch(dim, 10.0, 0.1)
    ratio = len(second) * 24.7 / (len(first) * measure.mean_delay_ns(second, dim))
    assert ratio == pytest.approx(1.82, abs=0.05)


@pytest.mark.parametrize("name", ["cdse-zns-2nm", "cdse-zns-2nm-oa", "cdse-zns-2nm-oam", "cdse-zns-3nm"])
def test_thick_shells_go_from_auger_to_bc_and_stay(name: str) -> None:
    assert step_types(name, 0).count("auger") == 20
    assert step_types(name, 1).count("bc") >= 17
    assert step_types(name, 2).count("bc") >= 19
    assert measure.median(dots(name), 50.0, 75.0, "auger_share") < 0.1
    assert measure.median(dots(name), 0.0, 25.0, "loss") > 0.05
    assert measure.median(dots(name), 50.0, 75.0, "loss") > 0.05


def test_the_thiol_ligand_converts_as_the_others() -> None:
    assert step_types("cdse-zns-2nm-thiol", 0).count("auger") == 20
    assert step_types("cdse-zns-2nm-thiol", 2).count("bc") >= 19


def test_conversion_happens_within_the_step_at_1_4_and_never_at_0_2() -> None:
    times = [truth.conversion_s for truth in dots("cdse-zns-2nm")]
    assert all(time is not None and 25.0 < time < 50.0 for time in times)
    preset = find_preset("cdse-zns-2nm")
    assert slow_truth(preset, 1, measure.protocol([0.2], 600.0), 600.0).conversion_s is None


@pytest.mark.parametrize("name", ["mapbbr3", "cspbbr3-small", "cspbi3-small"])
def test_small_perovskites_are_bc_then_mixed_3_to_1_then_bc_again(name: str) -> None:
    assert step_types(name, 0).count("bc") >= 18
    assert step_types(name, 1).count("mixed") == 20
    assert step_types(name, 2).count("bc") >= 18
    assert measure.median(dots(name), 0.0, 25.0, "auger_share") < 0.1
    assert measure.median(dots(name), 25.0, 50.0, "auger_share") == pytest.approx(0.75, abs=0.04)
    assert all(truth.peak_nm(74.0) == truth.peak_nm(1.0) for truth in dots(name))


@pytest.mark.parametrize("name", ["cdse-zns-1.2nm", "cdse-zns-0.7nm"])
def test_thin_shells_are_bc_throughout_and_never_convert(name: str) -> None:
    for step in range(3):
        assert step_types(name, step).count("bc") == 20
    assert all(truth.conversion_s is None for truth in dots(name))


def test_small_cdse_dots_are_bc_until_they_bleach_at_high_fluence() -> None:
    assert step_types("cdse-zns-small", 0).count("bc") >= 18
    bleached = [truth.bleaching_s for truth in dots("cdse-zns-small") if truth.bleaching_s is not None]
    assert len(bleached) >= 17
    assert sum(25.0 < time < 50.0 for time in bleached) >= 14


@pytest.mark.parametrize("name", ["cspbbr3-large", "cspbi3-large"])
def test_large_perovskites_are_auger_up_to_2_5(name: str) -> None:
    assert find_preset(name).fluences[1] == 2.5
    for step in range(3):
        assert step_types(name, step).count("auger") == 20
    assert all((truth.window(25.0, 50.0).auger_share or 0.0) > 0.92 for truth in dots(name))


def test_blinking_rises_from_2_8_to_3_4_per_second() -> None:
    assert measure.median(dots("cdse-zns-2nm"), 0.0, 25.0, "blinking_rate_hz") == pytest.approx(2.8, abs=0.3)
    assert measure.median(dots("cdse-zns-2nm"), 50.0, 75.0, "blinking_rate_hz") == pytest.approx(3.4, abs=0.3)


def test_blinks_counted_in_photons_agree_with_the_noise_free_rate() -> None:
    simulation = DotSimulation("cdse-zns-2nm", 5)
    preset = simulation.preset
    photons = simulation.advance(round(25 * preset.setup.pulse_rate_hz), 0.2)
    counts = measure.binned(photons, preset, 25.0)
    bright = float(np.percentile(counts, 80))
    seen = measure.blinks_per_second(counts, bright, 0.368 * bright)
    assert seen == pytest.approx(simulation.truth.window(0.0, 25.0).blinking_rate_hz, abs=0.3)


def test_the_bright_level_loses_15_percent_for_good_and_the_line_moves_by_8_nm() -> None:
    preset = find_preset("cdse-zns-2nm")
    steps = measure.protocol(preset.fluences)
    truth = slow_truth(preset, 3, steps, 75.0)
    assert truth.peak_nm(12.0) == 633.0
    assert truth.peak_nm(62.0) == pytest.approx(641.0, abs=0.01)
    late = truth.path.between(55.0, 75.0)
    tau1 = preset.dot.exciton.lifetime_ns
    remaining = 1.0 / (1.0 + late.loss_per_ns * tau1)
    np.testing.assert_allclose(remaining, 0.85, rtol=1e-9)


def exponent_of_charging(preset: Preset, fluences: list[float], seconds: float) -> float:
    """Slope of log r_c against log <N>, from the state path."""
    rates = []
    for i, fluence in enumerate(fluences):
        truth = slow_truth(preset, i, measure.protocol([fluence], seconds), seconds)
        rates.append(truth.window(0.0, seconds).charging_rate_hz)
    return float(np.polyfit(np.log(fluences), np.log(np.array(rates, float)), 1)[0])


@pytest.mark.parametrize("name", ["cdse-zns-2nm", "cspbbr3-large"])
def test_charging_is_linear_in_fluence(name: str) -> None:
    slope = exponent_of_charging(find_preset(name), [0.03, 0.06, 0.1, 0.17, 0.3], 400.0)
    assert slope == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("preset", [quadratic_charging(), find_preset("mapbbr3")], ids=lambda p: p.name)
def test_charging_by_auger_ionisation_is_quadratic_in_fluence(preset: Preset) -> None:
    slope = exponent_of_charging(preset, [0.03, 0.06, 0.1, 0.17, 0.3], 3000.0)
    assert slope == pytest.approx(2.0, abs=0.2)


def test_repetition_rates_are_those_of_the_paper() -> None:
    for name in preset_names():
        rate_hz = PRESETS[name].setup.pulse_rate_hz
        assert rate_hz == (5e6 if name.startswith("cdse") else 10e6)


@pytest.mark.parametrize("rate_hz", [5e6, 10e6, 20e6])
def test_the_finite_window_folds_the_mean_delay_of_24_7_ns(rate_hz: float) -> None:
    base = measure.quiet(measure.always_neutral())
    preset = replace(base, setup=replace(base.setup, pulse_rate_hz=rate_hz, resolution_ps=10.0))
    photons = measure.watch(preset, 2.0, 0.02)
    expected = {5e6: 24.639, 10e6: 22.924, 20e6: 17.091}[rate_hz]
    assert measure.mean_delay_ns(photons, preset) == pytest.approx(expected, rel=0.012)


@pytest.mark.parametrize("ratio", [0.0002, 0.03, 0.128, 0.6])
def test_g2_zero_at_low_fluence_is_the_biexciton_yield_ratio(ratio: float) -> None:
    base = measure.quiet(measure.always_neutral())
    exciton = replace(base.dot.exciton, biexciton_yield_ratio=ratio)
    preset = replace(base, dot=replace(base.dot, exciton=exciton))
    value, error = measure.g2_zero(measure.watch(preset, 15.0, 0.05))
    # Lone second photons and their losses change the ratio by a few percent of itself at <N> = 0.05.
    assert value == pytest.approx(ratio, abs=4 * error + 0.05 * ratio)
