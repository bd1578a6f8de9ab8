"""The part of the time axis on which a card records, read off the photons."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.types import Acquisition, RecordLayout
from qdmon.analysis.calibration.timing import GUARD_NS, TimeAxis, rising_edge
from qdmon.analysis.calibration.window import recorded_part, recorded_window
from tests.qdmon.analysis import builders as b

FIRST, STOP = 700, 3500
REVERSED = replace(
    b.acquisition(200.0, 64.0), layout=RecordLayout.BECKER_HICKL_T3, nanotime_bins=4096, channels=(0,)
)


def seen(
    rng: np.random.Generator, photons: int, t0_ns: float, tau_ns: float, background: float
) -> NDArray[np.int64]:
    """(4096,) photons of a card that records bins 700 to 3500 of its axis, 179 of 200 ns."""
    late = rng.random(photons) < background
    after = np.where(late, rng.uniform(0, 200.0, photons), rng.exponential(tau_ns, photons))
    bins = (((t0_ns + after) / 0.064 - FIRST) % 3125 + FIRST).astype(np.int64)
    return np.bincount(bins[(bins >= FIRST) & (bins < STOP)], minlength=4096)


@pytest.mark.parametrize("photons", [1000, 3000, 11_551, 23_023, 60_000])
def test_steady_light_shows_the_whole_window_to_within_a_few_photons(photons: int) -> None:
    spacing = 3125 / photons
    missed = 0
    for seed in range(100):
        first, stop = recorded_part(seen(np.random.default_rng(seed), photons, 0.0, 1.0, 1.0))
        missed += first == 0 or stop == 4096
        assert first == 0 or FIRST <= first <= FIRST + 10 * spacing + 1
        assert stop == 4096 or STOP - 10 * spacing - 1 <= stop <= STOP
    assert missed <= 3


@pytest.mark.parametrize(("photons", "tau_ns"), [(3000, 12.0), (20_000, 6.0), (100_000, 5.0)])
def test_a_decay_that_fades_out_leaves_the_axis_whole(photons: int, tau_ns: float) -> None:
    for seed in range(100):
        histogram = seen(np.random.default_rng(seed), photons, 60.0, tau_ns, 0.0)[: 3125 + FIRST]
        assert recorded_part(histogram)[1] == len(histogram)


def test_a_window_is_found_whatever_card_a_file_names() -> None:
    """Background that breaks off tells it where the layout does not."""
    histogram = seen(np.random.default_rng(1), 30_000, 52.0, 20.0, 0.2)
    unnamed = replace(REVERSED, layout=RecordLayout.GENERIC_T3)
    for acquisition in (REVERSED, unnamed):
        window = recorded_window(acquisition, histogram)
        assert window is not None
        assert list(window) == pytest.approx([FIRST, STOP], abs=20)


@pytest.mark.parametrize("photons", [2000, 5000, 20_000, 100_000])
def test_a_pulse_behind_a_few_empty_bins_is_no_beginning_of_the_axis(photons: int) -> None:
    """So little light comes before it that there may be none by chance."""
    bins = 12_500
    acquisition = b.acquisition(200.0, 16.0)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        late = rng.random(photons) < 0.01
        after = np.where(late, rng.uniform(0, 200.0, photons), rng.exponential(28.0, photons))
        histogram = np.bincount(((2.1 + after) % 200.0 / 0.016).astype(np.int64), minlength=bins)
        assert recorded_window(acquisition, histogram) is None


def test_a_card_that_leaves_out_as_much_where_light_is_expected_has_a_window() -> None:
    rng = np.random.default_rng(5)
    late = rng.random(100_000) < 0.2
    after = np.where(late, rng.uniform(0, 200.0, len(late)), rng.exponential(28.0, len(late)))
    histogram = np.bincount(((10.0 + after) % 200.0 / 0.016).astype(np.int64), minlength=12_500)
    histogram[:120] = 0
    window = recorded_window(b.acquisition(200.0, 16.0), histogram)
    assert window is not None
    assert list(window) == pytest.approx([120, 12_500], abs=12)


def test_a_card_that_records_all_of_the_period_has_no_window() -> None:
    whole = np.full(3125, 20, np.int64)
    assert recorded_window(b.acquisition(), whole) is None
    assert recorded_window(replace(b.acquisition(), mode="T2", resolution_ps=None), whole) is None


def test_a_slow_laser_outlasts_the_axis_of_the_card() -> None:
    acquisition = Acquisition("T3", 1_000_000.0, 16.0, 32_768, (0,), RecordLayout.GENERIC_T3, "slow laser")
    window = recorded_window(acquisition, np.ones(32_768, np.int64))
    assert window == (0, 32_768)
    bins = TimeAxis.build(acquisition, {0: 10_000.0}, window).bins
    assert bins.edges_ns[-1] == pytest.approx(524.3 - 10.0 - 0.2, abs=0.1)
    assert bins.uniform_share.sum() == pytest.approx((524.3 - 10.2 + GUARD_NS) / 524.3, rel=1e-3)


def test_photons_beyond_a_period_choose_the_fullest_one() -> None:
    histogram = seen(np.random.default_rng(2), 30_000, 52.0, 20.0, 0.2)
    histogram[3900] = 3
    first, stop = recorded_window(REVERSED, histogram) or (0, 0)
    assert stop - first == 3125
    assert first <= FIRST
    assert histogram[first:stop].sum() == histogram.sum() - 3


@pytest.mark.parametrize("photons", [500, 6000, 100_000])
def test_noise_in_a_window_has_no_rising_edge(photons: int) -> None:
    for seed in range(20):
        histogram = seen(np.random.default_rng(seed), photons, 0.0, 1.0, 1.0)
        assert rising_edge(histogram, 64.0) is None


@pytest.mark.parametrize("t0_ns", [50.0, 60.0, 120.0, 200.0])
def test_the_rise_of_a_decay_is_found_wherever_it_lies_in_the_window(t0_ns: float) -> None:
    edge = rising_edge(seen(np.random.default_rng(3), 50_000, t0_ns, 20.0, 0.2), 64.0)
    assert edge is not None
    assert edge.at_ps / 1e3 == pytest.approx(t0_ns, abs=0.15)


def test_a_decay_that_began_before_the_window_is_placed_where_the_window_begins() -> None:
    edge = rising_edge(seen(np.random.default_rng(4), 50_000, 40.0, 20.0, 0.2), 64.0)
    assert edge is not None
    assert edge.at_ps / 1e3 == pytest.approx(FIRST * 0.064, abs=0.2)


def test_nothing_outside_the_window_is_sorted_and_its_bins_end_with_it() -> None:
    axis = TimeAxis.build(REVERSED, {0: 52_000.0}, (FIRST, STOP))
    assert (axis.micro_bin[0, :FIRST] == 255).all()
    assert (axis.micro_bin[0, STOP:] == 255).all()
    assert axis.bins.edges_ns[-1] == pytest.approx(STOP * 0.064 - 52.0 - 0.2, abs=0.07)
    assert axis.bins.recorded_ns == pytest.approx((STOP - FIRST) * 0.064)
    # Of 1 cps recorded evenly over the window, this much falls into the bins.
    inside = (axis.bins.edges_ns[-1] - axis.bins.edges_ns[0]) / ((STOP - FIRST) * 0.064)
    assert axis.bins.uniform_share.sum() == pytest.approx(inside)
    taus = np.array([5.0, 50.0])
    whole = 1 - np.exp(-axis.bins.edges_ns[-1] / taus)
    assert axis.bins.share_of(taus).sum(axis=1) == pytest.approx(whole / -np.expm1(-200.0 / taus))


def test_a_pulse_just_before_the_window_leaves_the_bins_their_length() -> None:
    axis = TimeAxis.build(REVERSED, {0: FIRST * 64.0 - 100.0}, (FIRST, FIRST + 3120))
    assert axis.bins.edges_ns[-1] > 190.0
