"""Time bins of a stretch: what a dot would show in them, put together, cut short."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.dot.binned import BinnedDecays
from tests.qdmon.analysis.dot.paths import BRIGHT, CONSTANTS, PAPERS_DOT, TRION, alternating, drawn, path_of

DARK = int(CONSTANTS[-1])


def numbered(bins: int, bin_s: float = 0.005) -> BinnedDecays:
    """Every bin holds its own number in each column."""
    axis = MicroBins.for_period(200.0)
    counts = np.repeat(np.arange(bins, dtype=np.float32)[:, None], axis.count, axis=1)
    return BinnedDecays(counts, bin_s, axis, 0.0)


def test_a_state_shows_its_light_and_the_background() -> None:
    data = replace(numbered(1), bins=MicroBins.for_period(2000.0), background_cps=400.0)
    expected = data.expected(PAPERS_DOT).sum(axis=1)
    assert expected[BRIGHT] == pytest.approx((76e3 + 400) * 0.005, rel=1e-3)
    assert expected[TRION] == pytest.approx((76e3 * 1.82 * 5.0 / 24.7 + 400) * 0.005, rel=1e-3)
    assert expected[DARK] == pytest.approx(2.0)
    np.testing.assert_allclose(data.expected(PAPERS_DOT)[DARK], data.background)


@given(st.floats(0.0, 20.0))
def test_a_detector_that_is_ready_for_the_next_pulse_misses_nothing(dead_time_ns: float) -> None:
    data = replace(numbered(1), bins=MicroBins.for_period(20.0))
    np.testing.assert_array_equal(
        replace(data, dead_time_ns=dead_time_ns).expected(PAPERS_DOT), data.expected(PAPERS_DOT)
    )


def clicks(rng: np.random.Generator, light_cps: float, period_ns: float, dead_ns: float, pulses: int) -> int:
    """Photons that two detectors see of prompt light, pulse by pulse."""
    ready = [0.0, 0.0]
    seen = 0
    for pulse in np.flatnonzero(rng.random(pulses) < light_cps * period_ns * 1e-9):
        detector, now = int(rng.integers(2)), float(pulse) * period_ns
        if now >= ready[detector]:
            ready[detector] = now + dead_ns
            seen += 1
    return seen


def test_a_detector_blind_for_many_pulses_misses_light_in_proportion_to_its_rate() -> None:
    rng = np.random.default_rng(2)
    period_ns, dead_ns, pulses = 20.0, 401.0, 1_500_000
    dot = replace(PAPERS_DOT, bright_cps=1e6, bright_ns=2.0, background_cps=100.0)
    data = replace(numbered(1, bin_s=pulses * period_ns * 1e-9), bins=MicroBins.for_period(period_ns))
    blind = replace(data, dead_time_ns=dead_ns)
    seen = clicks(rng, 1e6, period_ns, dead_ns, pulses)
    expected = float(blind.expected(dot)[BRIGHT].sum())
    assert expected < 0.9 * float(data.expected(dot)[BRIGHT].sum())
    assert seen == pytest.approx(expected, abs=4 * np.sqrt(expected) + 0.01 * expected)
    # Dim states lose less, and no state changes its shape.
    kept = blind.expected(dot) / data.expected(dot)
    assert kept[TRION, 0] > kept[BRIGHT, 0]
    np.testing.assert_allclose(np.ptp(kept, axis=1), 0.0, atol=1e-12)


@pytest.mark.parametrize("background_cps", [50.0, 2000.0])
def test_a_tail_after_bleaching_is_cut(background_cps: float) -> None:
    rng = np.random.default_rng(3)
    lit = alternating(rng, 2000, [TRION])
    dot = replace(PAPERS_DOT, background_cps=background_cps)
    data = drawn(rng, np.concatenate([lit, path_of((DARK, 1500))]), dot)
    assert data.lit_bins() == pytest.approx(2000, abs=20)


def test_a_tail_is_cut_where_the_light_went_out_whatever_the_background_scatters() -> None:
    """To hundredths of a second in each of many dots that end bright."""
    dot = replace(PAPERS_DOT, bright_cps=6e3, background_cps=1500.0)
    for seed in range(150):
        path = path_of((BRIGHT, 400), (DARK, 130), (BRIGHT, 413), (DARK, 1900))
        assert drawn(np.random.default_rng(seed), path, dot).lit_bins() == pytest.approx(943, abs=15)


@pytest.mark.parametrize(("bright_cps", "background_cps"), [(76e3, 50.0), (6e3, 300.0)])
def test_a_dot_that_stays_charged_to_the_end_has_not_gone_out(
    bright_cps: float, background_cps: float
) -> None:
    dot = replace(PAPERS_DOT, bright_cps=bright_cps, background_cps=background_cps, beta=1.2, trion_ns=2.5)
    path = path_of((BRIGHT, 400), (TRION, 8), (BRIGHT, 300), (TRION, 900))
    data = drawn(np.random.default_rng(3), path, dot)
    assert data.lit_bins() == len(data.counts)


def test_a_last_blink_before_the_light_goes_out_is_kept() -> None:
    for seed in range(20):
        path = path_of((BRIGHT, 400), (TRION, 8), (BRIGHT, 30), (TRION, 6), (DARK, 1500))
        assert drawn(np.random.default_rng(seed), path).lit_bins() == pytest.approx(444, abs=1)


def test_a_dot_that_blinks_to_the_end_is_left_whole() -> None:
    rng = np.random.default_rng(3)
    for dim in ([TRION], [DARK]):
        data = drawn(rng, alternating(rng, 3000, dim))
        assert data.lit_bins() == 3000


@pytest.mark.parametrize(
    "dwells", [[(BRIGHT, 1000), (DARK, 600), (BRIGHT, 40)], [(BRIGHT, 1000), (DARK, 180)]]
)
def test_a_long_dwell_in_the_dark_is_no_bleaching(dwells: list[tuple[int, int]]) -> None:
    data = drawn(np.random.default_rng(3), path_of(*dwells))
    assert data.lit_bins() == len(data.counts)


def test_a_dark_end_like_other_dark_dwells_is_no_bleaching() -> None:
    path = path_of((BRIGHT, 600), (DARK, 100), (BRIGHT, 600), (DARK, 300))
    data = drawn(np.random.default_rng(3), path)
    assert data.lit_bins() == len(data.counts)


@pytest.mark.parametrize("state", [BRIGHT, DARK])
def test_light_that_never_changes_is_left_whole(state: int) -> None:
    data = drawn(np.random.default_rng(3), path_of((state, 2000)))
    assert data.lit_bins() == 2000


def test_a_flash_before_darkness_is_no_dot_that_bleached() -> None:
    data = drawn(np.random.default_rng(3), path_of((BRIGHT, 60), (DARK, 2000)))
    assert data.lit_bins() == 2060


@given(st.integers(1, 200), st.integers(1, 20))
def test_bins_put_together_keep_their_photons_in_order(bins: int, group: int) -> None:
    data = numbered(bins)
    found = data.grouped(group * data.bin_s)
    n = bins // group
    assert found.bin_s == pytest.approx(group * data.bin_s)
    assert found.counts.shape == (n, data.bins.count)
    np.testing.assert_array_equal(
        found.counts[:, 0], data.counts[: n * group, 0].reshape(n, group).sum(axis=1)
    )


def test_bins_longer_than_asked_for_stay_as_they_are() -> None:
    data = numbered(10, bin_s=0.02)
    assert data.grouped(0.01).bin_s == 0.02
    np.testing.assert_array_equal(data.grouped(0.01).counts, data.counts)


@given(st.integers(5, 100), st.integers(1, 2000))
def test_pieces_are_different_bins_from_beginning_to_end(wanted: int, bins: int) -> None:
    data = numbered(bins)
    found = data.pieces(wanted).counts[:, 0]
    assert len(found) <= 1.2 * wanted
    assert len(found) >= min(bins, wanted // 5 * 5)
    assert np.all(np.diff(found) > 0)
    assert found[0] == 0
    assert found[-1] == bins - 1


def test_the_prompt_part_is_never_fitted() -> None:
    data = drawn(np.random.default_rng(1), path_of((BRIGHT, 10)))
    np.testing.assert_array_equal(data.fitted, data.counts[:, 1:])
