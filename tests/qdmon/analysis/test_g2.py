"""Pulse-resolved correlation of two detectors."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from hardware.types import Photons
from qdmon.analysis.g2 import MAX_LAG, Coincidences, PairCounter, Pairs, g2_from_pairs
from qdmon.analysis.snapshot import G2
from qdmon.analysis.timing import TimeAxis
from tests.qdmon.analysis import builders as b

PERIOD_NS = 200.0
T0 = {0: 4000.0, 1: 4640.0}
AXIS = TimeAxis.build(b.acquisition(PERIOD_NS), T0)


def emitter(rng: np.random.Generator, pulses: int, p: float, g2: float, shift: int = 0) -> Photons:
    """Each detector clicks with probability p a pulse, both with g2 p^2; detector 1 `shift` pulses late."""
    both = rng.random(pulses) < g2 * p**2
    u = rng.random(pulses)
    only = p - g2 * p**2
    first = np.flatnonzero(both | (u < only))
    second = np.flatnonzero(both | ((u >= only) & (u < 2 * only))) + shift
    second = second[(second >= 0) & (second < pulses)]
    pulse = np.concatenate([first, second])
    channel = np.repeat([0, 1], [len(first), len(second)])
    order = np.argsort(pulse, kind="stable")
    nanotime = np.where(channel == 0, 4000, 4640)[order] // 64 + 1
    return Photons(
        pulse[order].astype(np.uint64), nanotime.astype(np.uint16), channel[order].astype(np.uint8)
    )


def pairs_of(photons: Photons, edges: list[int]) -> Pairs:
    counter = PairCounter((0, 1), AXIS.arrival_ns, PERIOD_NS)
    for first, stop in itertools.pairwise(edges):
        counter.add(photons.between(first, stop), first, stop)
    return counter.pairs


def g2_of(photons: Photons, pulses: int, *, background_cps: float = 0.0, delay_ns: float | None = None) -> G2:
    background = {0: background_cps, 1: background_cps}
    return g2_from_pairs(pairs_of(photons, [0, pulses]), (0, 1), PERIOD_NS, T0, background, delay_ns)


@pytest.mark.parametrize("truth", [0.0002, 0.128, 0.5])
def test_row_18_the_pairs_of_published_dots_are_recovered_within_the_error(truth: float) -> None:
    pulls, upper = [], []
    for seed in range(25):
        g2 = g2_of(emitter(np.random.default_rng(seed), 1_000_000, 0.02, truth), 1_000_000)
        assert g2.zero.value is not None
        assert g2.zero.error is not None
        assert g2.upper_limit_99 is not None
        pulls.append((g2.zero.value - truth) / g2.zero.error)
        upper.append(g2.upper_limit_99)
    assert abs(float(np.mean(pulls))) < 0.6
    assert float(np.sqrt(np.mean(np.square(pulls)))) < 1.4
    assert float(np.mean(np.array(upper) > truth)) >= 0.95


def test_side_peaks_hold_all_pairs_of_their_lag() -> None:
    photons = emitter(np.random.default_rng(1), 200_000, 0.05, 0.1)
    pairs = pairs_of(photons, [0, 200_000])
    first = np.zeros(200_000, np.int64)
    second = np.zeros(200_000, np.int64)
    np.add.at(first, photons.pulse[photons.channel == 0].astype(np.int64), 1)
    np.add.at(second, photons.pulse[photons.channel == 1].astype(np.int64), 1)
    for lag in (-MAX_LAG, -7, -1, 0, 1, 2, 50, MAX_LAG):
        a = first[max(-lag, 0) : 200_000 - max(lag, 0)]
        later = second[max(lag, 0) : 200_000 + min(lag, 0)]
        assert pairs.lags[MAX_LAG + lag] == int(a @ later)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 19_999), max_size=15, unique=True))
def test_pairs_are_counted_once_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    photons = emitter(np.random.default_rng(2), 20_000, 0.1, 0.3)
    whole, cut = (pairs_of(photons, edges) for edges in ([0, 20_000], [0, *sorted(cuts), 20_000]))
    assert np.array_equal(whole.lags, cut.lags)
    assert np.array_equal(whole.fine, cut.fine)
    assert np.array_equal(whole.clicks, cut.clicks)
    assert whole.pulses == cut.pulses


@pytest.mark.parametrize("expected_pairs", [0.3, 1.0, 3.0, 10.0, 40.0])
def test_the_upper_limit_covers_the_truth_in_99_of_100_measurements(expected_pairs: float) -> None:
    side = 300.0
    counts = np.arange(0, 200)
    limits = [Coincidences(float(n), side, 18, 0.0).estimate()[1] for n in counts]
    covered = np.array([limit is not None and limit >= expected_pairs / side for limit in limits])
    assert float(poisson.pmf(counts, expected_pairs) @ covered) >= 0.99


def test_no_pair_at_all_still_has_an_upper_limit() -> None:
    zero, upper, single = Coincidences(0.0, 100.0, 18, 0.0).estimate()
    assert zero.value == 0
    assert zero.error is not None
    assert zero.error > 0
    assert upper == pytest.approx(0.0461, rel=0.1)
    assert single is True


def test_too_few_pairs_say_nothing() -> None:
    zero, upper, single = Coincidences(0.0, 0.5, 18, 0.0).estimate()
    assert zero.value is None
    assert upper is None
    assert single is None


def blinking_on_background(seed: int, background_cps: float) -> tuple[Photons, int]:
    """A perfect single emitter that blinks, on steady background in both detectors."""
    rng = np.random.default_rng(seed)
    acq = b.acquisition(PERIOD_NS)
    return b.photons(rng, b.auger_dot(rng, 4.0), acq=acq, background_cps=background_cps)


def test_background_is_taken_off_exactly_even_while_the_emitter_blinks() -> None:
    pulls = []
    for seed in range(6):
        photons, stop = blinking_on_background(seed, 3000.0)
        raw = g2_of(photons, stop).zero
        net = g2_of(photons, stop, background_cps=3000.0).zero
        assert raw.value is not None
        assert raw.error is not None
        assert raw.value > 5 * raw.error
        assert net.value is not None
        assert net.error is not None
        pulls.append(net.value / net.error)
    assert abs(float(np.mean(pulls))) < 1.2


def test_one_emitter_is_called_single_and_two_are_not() -> None:
    rng = np.random.default_rng(5)
    acq = b.acquisition(PERIOD_NS)
    single = {}
    for emitters in (1, 2):
        photons, stop = b.photons(rng, b.auger_dot(rng, 5.0), acq=acq, emitters=emitters)
        found = g2_of(photons, stop, background_cps=200.0)
        single[emitters] = found.single_emitter
        assert found.zero.value == pytest.approx(0.0 if emitters == 1 else 0.5, abs=0.06)
    assert single[1] is True
    assert single[2] is not True


def test_independent_light_is_more_than_one_emitter() -> None:
    found = g2_of(emitter(np.random.default_rng(3), 1_000_000, 0.02, 1.0), 1_000_000)
    assert found.single_emitter is False


@pytest.mark.parametrize("shift", [-4, -1, 2, 5])
def test_a_cable_longer_than_a_period_shows_as_a_missing_peak(shift: int) -> None:
    photons = emitter(np.random.default_rng(4), 1_000_000, 0.02, 0.05, shift)
    found = g2_of(photons, 1_000_000)
    assert found.delay_origin == "missing peak"
    assert found.detector_delay_ns == pytest.approx(0.64 + shift * PERIOD_NS)
    assert found.zero.value == pytest.approx(0.05, abs=0.06)
    nearest = found.delay_ns[np.argmin(np.abs(found.delay_ns))]
    assert abs(nearest) < PERIOD_NS / 64


def test_without_a_missing_peak_the_rising_edges_give_the_delay() -> None:
    found = g2_of(emitter(np.random.default_rng(4), 300_000, 0.02, 0.9), 300_000)
    assert found.delay_origin == "rising edges"
    assert found.detector_delay_ns == pytest.approx(0.64)


def test_a_given_delay_is_used_as_given() -> None:
    photons = emitter(np.random.default_rng(4), 1_000_000, 0.02, 0.05, 3)
    found = g2_of(photons, 1_000_000, delay_ns=600.64)
    assert found.delay_origin == "given"
    assert found.zero.value == pytest.approx(0.05, abs=0.06)
    wrong = g2_of(photons, 1_000_000, delay_ns=0.64)
    assert wrong.zero.value == pytest.approx(1.0, abs=0.15)


def test_a_given_delay_beyond_all_pairs_gives_no_g2_instead_of_a_wrong_one() -> None:
    found = g2_of(emitter(np.random.default_rng(4), 100_000, 0.02, 0.05), 100_000, delay_ns=1e5)
    assert found.zero.value is None
    assert found.single_emitter is None


def test_the_drawn_histogram_shows_the_period_and_the_antibunching() -> None:
    photons = emitter(np.random.default_rng(6), 1_000_000, 0.02, 0.0)
    found = g2_of(photons, 1_000_000)
    in_peak = {
        k: int(found.coincidences[np.abs(found.delay_ns - k * PERIOD_NS) < PERIOD_NS / 2].sum())
        for k in range(-4, 5)
    }
    assert in_peak[0] == 0
    assert min(n for k, n in in_peak.items() if k) > 300
