"""Detectors and timing: what clicks survive, when they come, and what is added to them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.sim.controls import never_blinks
from hardware.sim.faults import Faults
from hardware.sim.optics import Setup
from hardware.sim.presets import Preset, find_preset
from hardware.sim.simulation import DotSimulation
from hardware.types import Photons
from tests.hardware.sim import sim_measures as measure


def clicks_ns(photons: Photons, preset: Preset, channel: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Times of one channel's clicks."""
    mine = photons.channel == channel
    setup = preset.setup
    return np.asarray(
        photons.pulse[mine] * setup.period_ns + photons.nanotime[mine] * setup.resolution_ps * 1e-3
    )


def with_setup(preset: Preset, **changes: object) -> Preset:
    """The preset with other optics or detectors."""
    return replace(preset, setup=replace(preset.setup, **changes))  # type: ignore[arg-type]


def test_a_dark_set_up_gives_only_its_background() -> None:
    preset = with_setup(find_preset("mapbbr3"), afterpulse=0.0)
    photons = measure.watch(preset, 100.0, 0.0)
    for channel in (0, 1):
        counts = int((photons.channel == channel).sum())
        assert counts == pytest.approx(100 * (25 + 150), abs=4 * np.sqrt(17500))


def test_background_grows_with_the_laser_and_is_flat_in_nanotime() -> None:
    base = measure.quiet(never_blinks())
    lit = with_setup(base, efficiency=0.0, dark_cps=25.0, room_light_cps=150.0, laser_light_cps=400.0)
    photons = measure.watch(lit, 100.0, 2.0)
    assert len(photons) == pytest.approx(2 * 100 * 975, rel=0.01)
    histogram, _ = np.histogram(photons.nanotime, bins=20, range=(0, lit.setup.nanotime_bins))
    assert ((histogram - histogram.mean()) ** 2).sum() / histogram.mean() < 45  # chi2, 19 degrees


def test_scattered_laser_light_comes_with_the_pulse_after_the_cable_delays() -> None:
    setup = replace(find_preset("cdse-zns-2nm").setup, efficiency=0.0, afterpulse=0.0, dark_cps=0.0)
    setup = replace(setup, room_light_cps=0.0, laser_light_cps=0.0)
    preset = replace(find_preset("cdse-zns-2nm"), setup=setup)
    photons = measure.watch(preset, 20.0, 1.0)
    assert len(photons) == pytest.approx(20 * 5e6 * 4e-5, rel=0.07)
    for channel, delay_ns in ((0, 4.0), (1, 4.64)):
        times = (photons.nanotime[photons.channel == channel] + 0.5) * 0.016
        assert times.mean() == pytest.approx(delay_ns + 0.05 * 0.5, abs=0.02)
        middle = np.percentile(times, [25, 75])
        assert np.diff(middle)[0] == pytest.approx(1.349 * 0.358 / 2.355, rel=0.12)


@settings(max_examples=15, deadline=None)
@given(dead_time_ns=st.floats(1.0, 500.0), seed=st.integers(0, 1000))
def test_no_two_clicks_of_a_detector_are_closer_than_its_dead_time(dead_time_ns: float, seed: int) -> None:
    preset = with_setup(find_preset("cdse-zns-2nm"), dead_time_ns=dead_time_ns, afterpulse=0.3)
    photons = measure.watch(preset, 0.12, 2.0, seed=seed)
    for channel in (0, 1):
        assert np.diff(clicks_ns(photons, preset, channel)).min() > dead_time_ns - 0.017


def test_the_dead_time_takes_the_fraction_of_steady_light_that_theory_says() -> None:
    base = measure.quiet(never_blinks())
    preset = with_setup(base, efficiency=0.0, room_light_cps=1e6, dead_time_ns=200.0)
    counts = len(measure.watch(preset, 1.0, 0.0)) / 2
    assert counts == pytest.approx(1e6 / (1 + 1e6 * 200e-9), rel=0.005)


def gaps_ns(preset: Preset, seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Gaps between clicks of one detector in the dark, both detectors together."""
    photons = measure.watch(preset, seconds, 0.0)
    return np.concatenate([np.diff(clicks_ns(photons, preset, channel)) for channel in (0, 1)])


def test_half_a_percent_of_clicks_have_an_after_pulse() -> None:
    gaps = gaps_ns(with_setup(find_preset("cdse-zns-2nm"), room_light_cps=2000.0), 100.0)
    accidental = 2025.0 * 1000e-9
    assert (gaps < 1000.0).mean() - accidental == pytest.approx(0.005, rel=0.1)


def test_after_pulses_come_60_ns_after_the_dead_time() -> None:
    gaps = gaps_ns(with_setup(find_preset("cdse-zns-2nm"), room_light_cps=300.0, afterpulse=0.1), 50.0)
    late = gaps[gaps < 1000.0] - 22.0
    assert late.mean() == pytest.approx(60.0, rel=0.1)
    assert np.median(late) == pytest.approx(60.0 * np.log(2), rel=0.12)


def test_light_is_split_evenly() -> None:
    photons = measure.watch(find_preset("cdse-zns-2nm"), 2.0, 0.5)
    share = float((photons.channel == 0).mean())
    assert share == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(photons)))


def test_a_lost_channel_is_silent_for_as_long_as_it_is_lost() -> None:
    faults = Faults(lost_channels=((1, (0.3, 0.7)),))
    simulation = DotSimulation("cdse-zns-2nm", 1, faults=faults)
    photons = simulation.advance(5_000_000, 0.2)
    times_s = photons.pulse[photons.channel == 1] / 5e6
    assert not ((times_s >= 0.3) & (times_s < 0.7)).any()
    assert (times_s < 0.3).any()
    assert (times_s >= 0.7).any()


def test_a_step_of_t0_moves_every_later_click() -> None:
    faults = Faults(delay_step=(5.0, 0.3))
    preset = measure.quiet(measure.always_charged())
    photons = DotSimulation(preset, 1, faults=faults).advance(50_000_000, 0.2)
    before, after = photons.between(0, 25_000_000), photons.between(25_000_000, 50_000_000)
    shift = measure.mean_delay_ns(after, preset) - measure.mean_delay_ns(before, preset)
    assert shift == pytest.approx(0.3, abs=0.05)


def test_a_background_ramp_rises_and_stays() -> None:
    faults = Faults(background_ramp=((2.0, 6.0), 5000.0))
    preset = measure.quiet(find_preset("mapbbr3"))
    photons = DotSimulation(preset, 1, faults=faults).advance(round(10 * preset.setup.pulse_rate_hz), 0.0)
    per_second = measure.binned(photons, preset, 10.0, bin_s=1.0)
    assert per_second[:2].sum() == 0
    assert per_second[4] == pytest.approx(2 * 5000 * 0.625, rel=0.06)
    assert per_second[7:].mean() == pytest.approx(2 * 5000, rel=0.03)


def test_nanotimes_stay_within_one_period_and_late_photons_reach_the_next_pulse() -> None:
    base = measure.quiet(measure.always_neutral())
    preset = with_setup(base, pulse_rate_hz=20e6, resolution_ps=10.0)
    photons = measure.watch(preset, 0.5, 0.02)
    assert int(photons.nanotime.max()) < preset.setup.nanotime_bins == 5000
    late = np.exp(-50.0 / 24.7)
    first_bin = (photons.nanotime < 500).mean()  # the first tenth of a folded exponential
    expected = (1 - np.exp(-5.0 / 24.7)) / (1 - late)
    assert first_bin == pytest.approx(expected, rel=0.03)


def test_the_time_base_of_both_lasers_is_whole_in_tcspc_bins() -> None:
    assert Setup(pulse_rate_hz=5e6, efficiency=0.1).nanotime_bins == 12500
    assert Setup(pulse_rate_hz=10e6, efficiency=0.1).nanotime_bins == 6250
