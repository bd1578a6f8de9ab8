"""Pulse-resolved correlation of two detectors."""

from dataclasses import replace

import numpy as np
import pytest

from hardware.sim.presets import Preset
from hardware.sim.simulation import DotSimulation
from hardware.types import Photons
from qdmon.analysis.antibunching.g2 import paired_light
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.pair_correlation import G2
from tests.hardware.sim.sim_measures import always_neutral, quiet
from tests.qdmon.analysis import builders as b
from tests.qdmon.analysis.antibunching import pulsed
from tests.qdmon.analysis.antibunching.pulsed import PERIOD_NS, emitter, g2_of

MILLION = 1_000_000


def pull(found: G2, truth: float) -> float:
    assert found.zero.value is not None
    assert found.zero.error is not None
    return (found.zero.value - truth) / found.zero.error


def blinking_on_background(seed: int, background_cps: float) -> tuple[Photons, int]:
    """A perfect single emitter that blinks, on steady background in both detectors."""
    rng = np.random.default_rng(seed)
    acq = b.acquisition(PERIOD_NS)
    return b.photons(rng, b.auger_dot(rng, 4.0), acq=acq, background_cps=background_cps)


def test_background_is_taken_off_exactly_even_while_the_emitter_blinks() -> None:
    pulls = []
    for seed in range(6):
        photons, stop = blinking_on_background(seed, 3000.0)
        assert pull(g2_of(photons, stop), 0.0) > 5
        pulls.append(pull(g2_of(photons, stop, background_cps=3000.0), 0.0))
    assert abs(float(np.mean(pulls))) < 1.2


def test_a_background_known_badly_makes_g2_known_badly() -> None:
    photons, stop = blinking_on_background(1, 3000.0)
    sure = g2_of(photons, stop, background_cps=3000.0)
    doubtful = g2_of(photons, stop, background_cps=dict.fromkeys((0, 1), Estimate(3000.0, 600.0)))
    assert doubtful.zero.value == pytest.approx(sure.zero.value)
    assert sure.zero.error is not None
    assert doubtful.zero.error is not None
    # 600 of some 27,000 cps, once for each detector.
    assert doubtful.zero.error == pytest.approx(np.hypot(sure.zero.error, 2 * 600 / 27_000), rel=0.3)


@pytest.mark.parametrize("period_ns", [100.0, 60.0])
def test_photons_that_come_after_the_next_pulse_make_no_pairs(period_ns: float) -> None:
    at = pulsed.axis(period_ns)
    pulls, raw = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        photons = emitter(rng, 2 * MILLION, 0.02, 0.1, period_ns=period_ns, biexciton_ns=0.5)
        found = g2_of(photons, 2 * MILLION, at=at)
        pulls.append(pull(found, 0.1))
        raw.append(float(found.zero.value or 0.0))
        assert pulsed.pairs_of(photons, [0, 2 * MILLION], at).lags[100].sum() > 0
    late = np.exp(-period_ns / pulsed.LIFETIME_NS)
    assert abs(np.mean(pulls)) < 3 / np.sqrt(10)
    assert np.std(pulls) < 2
    light = paired_light(pulsed.pairs_of(photons, [0, 2 * MILLION], at), at, 0, 0.0)
    assert light.lifetime_ns == pytest.approx(pulsed.LIFETIME_NS, rel=0.03)
    assert light.late == pytest.approx(late, rel=0.1)


def after_pulsing(afterpulse: float) -> Preset:
    """The paper's dot while it stays bright, 10 MHz, detectors with nothing but after-pulses."""
    preset = quiet(always_neutral())
    setup = replace(
        preset.setup, pulse_rate_hz=1e7, afterpulse=afterpulse, dead_time_ns=22.0, delay_ns=pulsed.T0_NS
    )
    return replace(preset, setup=setup)


def test_after_pulses_behind_the_next_pulse_make_no_pairs() -> None:
    # As many as 2 % of the photons, most of them after the next pulse: an excess of some 0.02.
    found = []
    for seed in (1, 2, 3):
        dot = DotSimulation(after_pulsing(0.02), seed)
        pulses = dot.acquisition().pulses(5.0)
        photons = dot.advance(pulses, 0.1)
        at = TimeAxis.build(dot.acquisition(), {0: 4000.0, 1: 4640.0})
        found.append(pull(g2_of(photons, pulses, at=at), pulsed.true_g2(dot, 0.1)))
    assert abs(np.mean(found)) < 3 / np.sqrt(3)


def test_one_emitter_is_called_single_and_two_are_not() -> None:
    rng = np.random.default_rng(5)
    acq = b.acquisition(PERIOD_NS)
    for emitters, truth in ((1, 0.0), (2, 0.5)):
        photons, stop = b.photons(rng, b.auger_dot(rng, 5.0), acq=acq, emitters=emitters)
        found = g2_of(photons, stop, background_cps=200.0)
        assert found.single_emitter is (emitters == 1)
        assert found.zero.value == pytest.approx(truth, abs=0.06)
        assert found.gated_zero.value == pytest.approx(truth, abs=0.12)


def test_independent_light_is_more_than_one_emitter() -> None:
    found = g2_of(emitter(np.random.default_rng(3), MILLION, 0.02, 1.0), MILLION)
    assert found.single_emitter is False


@pytest.mark.parametrize("shift", [-40, -4, -1, 2, 5, 80])
def test_a_cable_longer_than_a_period_shows_as_a_missing_peak_with_its_significance(shift: int) -> None:
    photons = emitter(np.random.default_rng(4), MILLION, 0.02, 0.05, shift=shift)
    found = g2_of(photons, MILLION)
    assert found.delay_origin == "missing peak"
    assert found.detector_delay_ns == pytest.approx(0.64 + shift * PERIOD_NS)
    assert found.zero.value == pytest.approx(0.05, abs=0.06)
    assert found.delay_significance is not None
    assert found.delay_significance > 20
    drawn = found.coincidences[np.abs(found.delay_ns) < PERIOD_NS / 2].sum()
    beside = found.coincidences[np.abs(found.delay_ns - 3 * PERIOD_NS) < PERIOD_NS / 2].sum()
    assert drawn < 0.2 * beside


def test_without_a_missing_peak_the_rising_edges_give_the_delay() -> None:
    found = g2_of(emitter(np.random.default_rng(4), 300_000, 0.02, 0.9), 300_000)
    assert found.delay_origin == "rising edges"
    assert found.detector_delay_ns == pytest.approx(0.64)
    assert found.delay_significance is not None
    assert found.delay_significance < 5


def test_flat_light_seldom_moves_the_delay_away_from_the_rising_edges() -> None:
    origins = [
        g2_of(emitter(np.random.default_rng(seed), 200_000, 0.02, 1.0), 200_000).delay_origin
        for seed in range(40)
    ]
    assert origins.count("rising edges") == 40


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_two_emitters_are_none_while_the_detectors_may_coincide_elsewhere(seed: int) -> None:
    """Pairs are missing two pulses away, but not yet so many that this is where they coincide."""
    photons = emitter(np.random.default_rng(seed), 40_000, 0.02, 0.2, shift=2)
    found = g2_of(photons, 40_000)
    assert found.delay_origin == "rising edges"
    assert (found.zero.value or 0.0) > 1.2
    assert found.single_emitter is None
    assert g2_of(photons, 40_000, delay_ns=0.64).single_emitter is False


def test_the_delay_becomes_more_significant_with_every_pair() -> None:
    photons = emitter(np.random.default_rng(8), MILLION, 0.02, 0.1)
    some = g2_of(photons.between(0, MILLION // 10), MILLION // 10).delay_significance
    all_of_it = g2_of(photons, MILLION).delay_significance
    assert some is not None
    assert all_of_it is not None
    assert all_of_it == pytest.approx(some * np.sqrt(10), rel=0.3)


@pytest.mark.parametrize("t0_ns", [(199.9, 4.3), (0.1, 4.3), (4.3, 199.9), (190.0, 194.4)])
def test_a_pulse_on_either_end_of_the_axis_leaves_the_shorter_delay_between_the_detectors(
    t0_ns: tuple[float, float],
) -> None:
    # Light later by a period where the axis wraps between the detectors: as a card counts it.
    real_ns = [t - PERIOD_NS if t > 100 and min(t0_ns) < 100 else t for t in t0_ns]
    photons = emitter(np.random.default_rng(4), 40_000, 0.02, 0.0, t0_ns=real_ns)
    found = g2_of(photons, 40_000, at=pulsed.axis(t0_ns=t0_ns))
    assert found.delay_origin == "rising edges"
    assert found.detector_delay_ns == pytest.approx(real_ns[1] - real_ns[0])
    assert found.zero.value == pytest.approx(0.0, abs=0.3)
    assert (found.single_probability or 0.0) > 0.95


def test_few_pairs_are_read_at_the_lag_that_many_have_shown() -> None:
    photons = emitter(np.random.default_rng(4), 20_000, 0.02, 0.0, shift=3)
    alone = g2_of(photons, 20_000)
    assert alone.detector_delay_ns == pytest.approx(0.64)
    told = g2_of(photons, 20_000, expected_lag=3)
    assert told.detector_delay_ns == pytest.approx(0.64 + 3 * PERIOD_NS)
    assert told.delay_origin == "missing peak"
    assert told.zero.value == pytest.approx(0.0, abs=0.3)


def test_many_pairs_know_their_lag_better_than_what_is_expected() -> None:
    found = g2_of(emitter(np.random.default_rng(4), MILLION, 0.02, 0.0, shift=3), MILLION, expected_lag=2)
    assert found.detector_delay_ns == pytest.approx(0.64 + 3 * PERIOD_NS)


def test_scattered_laser_light_does_not_speak_for_a_second_emitter() -> None:
    rng = np.random.default_rng(9)
    dot = emitter(rng, 100_000, 0.03, 0.0)
    pulse, channel = rng.integers(0, 100_000, 1600), rng.integers(0, 2, 1600)
    laser = pulsed.clicks(pulse, np.asarray(pulsed.T0_NS)[channel], channel, 100_000)
    both = Photons.join([dot, laser])
    order = np.argsort(both.pulse, kind="stable")
    photons = Photons(both.pulse[order], both.nanotime[order], both.channel[order])
    found = g2_of(photons, 100_000)
    assert (found.zero.value or 0.0) > 0.3
    assert (found.single_probability or 0.0) > 0.95


def test_an_unknown_background_shows_no_second_emitter() -> None:
    photons, stop = blinking_on_background(1, 6000.0)
    assert g2_of(photons, stop).single_emitter is False
    assert g2_of(photons, stop, known=False).single_emitter is None


def on_steady_light(seed: int, p: float, g2: float, pulses: int = 200_000) -> G2:
    """A dot with p clicks per pulse and detector on room light of 0.006."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(2 * 0.006 * pulses)
    pulse, channel = rng.integers(0, pulses, n), rng.integers(0, 2, n)
    room = pulsed.clicks(pulse, rng.uniform(0.0, PERIOD_NS, n), channel, pulses)
    both = Photons.join([emitter(rng, pulses, p, g2), room])
    order = np.argsort(both.pulse, kind="stable")
    photons = Photons(both.pulse[order], both.nanotime[order], both.channel[order])
    return g2_of(photons, pulses, background_cps=0.006 / PERIOD_NS * 1e9)


def test_side_peaks_that_hardly_stand_out_show_no_second_emitter_by_one_odd_pair() -> None:
    faint = {on_steady_light(seed, 0.004, 0.0).single_emitter for seed in range(200)}
    assert False not in faint
    bright = [on_steady_light(seed, 0.05, 1.0).single_emitter for seed in range(20)]
    assert bright.count(False) >= 10


def test_a_given_delay_is_used_as_given() -> None:
    photons = emitter(np.random.default_rng(4), MILLION, 0.02, 0.05, shift=3)
    found = g2_of(photons, MILLION, delay_ns=600.64)
    assert found.delay_origin == "given"
    assert found.zero.value == pytest.approx(0.05, abs=0.06)
    wrong = g2_of(photons, MILLION, delay_ns=0.64)
    assert wrong.zero.value == pytest.approx(1.0, abs=0.15)
    assert wrong.delay_significance is not None
    assert abs(wrong.delay_significance) < 4


def test_a_given_delay_beyond_all_pairs_gives_no_g2_instead_of_a_wrong_one() -> None:
    found = g2_of(emitter(np.random.default_rng(4), 100_000, 0.02, 0.05), 100_000, delay_ns=1e5)
    assert found.zero.value is None
    assert found.single_emitter is None


def test_no_photons_and_no_pairs_are_unknown() -> None:
    found = g2_of(Photons.empty(), MILLION)
    assert found.zero.value is None
    assert found.gated_zero.value is None
    assert found.single_emitter is None
    assert found.delay_significance is None


def test_the_drawn_histogram_shows_the_period_and_the_antibunching() -> None:
    found = g2_of(emitter(np.random.default_rng(6), MILLION, 0.02, 0.0), MILLION)
    in_peak = {
        k: int(found.coincidences[np.abs(found.delay_ns - k * PERIOD_NS) < PERIOD_NS / 2].sum())
        for k in range(-4, 5)
    }
    assert in_peak[0] < 30
    assert min(n for k, n in in_peak.items() if k) > 300
