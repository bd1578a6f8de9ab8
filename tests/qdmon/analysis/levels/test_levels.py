"""Levels between changes of light, on textbook traces: none missed, none made up, whatever the portions."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hardware.types import Photons
from qdmon.analysis.bins import BinTable
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.levels import levels as levels_module
from qdmon.analysis.levels.levels import LevelFinder
from qdmon.analysis.results.intensity import Level
from tests.qdmon.analysis.builders import Dwell, acquisition, auger_dot, bc_dot, photons

WIDTH = 5000  # pulses of 200 ns per millisecond
ROW_S = 1e-3


def counted(counts: NDArray[np.int64]) -> BinTable:
    """A table with these counts per millisecond, without arrival times."""
    pulse = np.repeat(np.arange(len(counts), dtype=np.uint64) * np.uint64(WIDTH), counts)
    table = BinTable(0, WIDTH, 1, len(counts) + 1)
    nothing = np.zeros(len(pulse), np.uint8)
    table.add_counts(Photons(pulse, nothing.astype(np.uint16), nothing), len(counts) * WIDTH)
    return table


def levels_of(counts: NDArray[np.int64], losses: list[tuple[int, int]] | None = None) -> tuple[Level, ...]:
    finder, table = LevelFinder(0, ROW_S, 0.0, None), counted(counts)
    finder.advance(table, losses or [])
    return finder.levels(table, 0.0, 0.0)


def sorted_dot(
    dwells: list[Dwell], rng: np.random.Generator, *, period_ns: float = 200.0, background_cps: float = 200.0
) -> tuple[LevelFinder, BinTable, tuple[Level, ...]]:
    """Levels of textbook photons; the background is that of each of two detectors."""
    acq = acquisition(period_ns, 164.61)
    found, stop = photons(rng, dwells, acq=acq, background_cps=background_cps)
    axis = TimeAxis.build(acq, {0: 4000.0, 1: 4640.0})
    table = BinTable(0, acq.pulses(ROW_S), axis.bins.count, 1_000_000)
    table.add_decays(found, stop, axis.micro_bin, axis.arrival_ns)
    finder = LevelFinder(0, ROW_S, 0.0, axis.bins)
    finder.advance(table, [])
    return finder, table, finder.levels(table, 2 * background_cps, 0.0)


def switching(
    rng: np.random.Generator, rates_cps: tuple[float, float], dwell_s: float, duration_s: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Instants of the changes between two rates, and the counts per millisecond."""
    edges = np.cumsum(rng.exponential(dwell_s, int(2 * duration_s / dwell_s) + 20))
    edges = np.concatenate([[0.0], edges[edges < duration_s], [duration_s]])
    rate = np.where(np.arange(len(edges) - 1) % 2, rates_cps[1], rates_cps[0])
    photons_until = np.concatenate([[0.0], np.cumsum(np.diff(edges) * rate)])
    grid = np.arange(round(duration_s / ROW_S) + 1) * ROW_S
    return edges[1:-1], rng.poisson(np.diff(np.interp(grid, edges, photons_until)))


@pytest.mark.parametrize(("rate_cps", "rows"), [(5e3, 400_000), (1e5, 100_000), (1e6, 20_000)])
def test_steady_light_shows_at_most_one_false_change_in_a_million_photons(rate_cps: float, rows: int) -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(rate_cps * ROW_S, rows)

    found = levels_of(counts)

    assert len(found) - 1 <= counts.sum() / 1e6


def test_steady_light_with_background_shows_no_change_of_lifetime() -> None:
    rng = np.random.default_rng(2)

    _, _, found = sorted_dot([Dwell(20.0, 5e4, 5.0)], rng, background_cps=5e3)

    assert len(found) == 1


@pytest.mark.parametrize("rates_cps", [(100e3, 75e3), (120e3, 60e3), (160e3, 20e3)])
def test_changes_of_light_are_found_within_5_ms(rates_cps: tuple[float, float]) -> None:
    rng = np.random.default_rng(3)
    changes, counts = switching(rng, rates_cps, 0.15, 40.0)

    found = np.array([level.start_s for level in levels_of(counts)[1:]])
    distance = np.abs(found[:, None] - changes[None, :])

    assert np.mean(distance.min(axis=0) < 5e-3) >= 0.93
    assert np.mean(distance.min(axis=1) < 5e-3) >= 0.97


def test_a_change_inside_a_row_is_placed_to_a_fraction_of_it() -> None:
    rng = np.random.default_rng(4)
    counts = np.concatenate([rng.poisson(1000, 50), [720], rng.poisson(100, 50)])

    first, second = levels_of(counts)

    assert first.stop_s == second.start_s
    assert first.stop_s == pytest.approx((50 + 620 / 900) * ROW_S, abs=0.05e-3)


def test_a_change_of_lifetime_at_equal_intensity_is_found() -> None:
    rng = np.random.default_rng(5)
    dwells = [Dwell(0.5, 5e4, 24.7), Dwell(0.3, 5e4, 9.0), Dwell(0.5, 5e4, 24.7)]

    _, _, found = sorted_dot(dwells, rng)

    assert [level.start_s for level in found] == pytest.approx([0.0, 0.5, 0.8], abs=5e-3)
    for level, dwell in zip(found, dwells, strict=True):
        assert level.lifetime_ns.value == pytest.approx(dwell.lifetime_ns, rel=0.05)


def test_levels_of_the_papers_dot_have_its_intensities_and_lifetimes() -> None:
    rng = np.random.default_rng(6)
    dwells = auger_dot(rng, 10.0)

    _, _, found = sorted_dot(dwells, rng)
    middle = np.array([(level.start_s + level.stop_s) / 2 for level in found])
    edges = np.cumsum([d.duration_s for d in dwells])
    truth = [dwells[i] for i in np.searchsorted(edges, middle)]

    pulls = []
    for level, dwell in zip(found, truth, strict=True):
        rate, tau = level.rate_cps, level.lifetime_ns
        assert rate.value is not None
        assert rate.error
        pulls.append((rate.value - dwell.rate_cps) / rate.error)
        assert tau.value is not None
        assert tau.error
        pulls.append((tau.value - dwell.lifetime_ns) / tau.error)
    too_short = sum(d.duration_s < 5e-3 for d in dwells)
    assert len(dwells) - 2 * too_short <= len(found) <= len(dwells)
    assert np.median(np.abs(pulls)) == pytest.approx(0.67, abs=0.25)


def test_plain_counts_give_levels_without_lifetimes() -> None:
    rng = np.random.default_rng(7)
    counts = np.concatenate([rng.poisson(100, 200), rng.poisson(30, 200)])

    found = levels_of(counts)

    assert len(found) == 2
    assert all(level.lifetime_ns.value is None for level in found)
    assert [level.provisional for level in found] == [False, True]
    assert found[0].rate_cps.value == pytest.approx(1e5, rel=0.03)


def test_a_loss_ends_a_level_and_its_rows_belong_to_none() -> None:
    counts = np.full(300, 50)
    counts[100:120] = 0

    found = levels_of(counts, [(100 * WIDTH + 17, 120 * WIDTH - 3)])

    assert [(x.start_s, x.stop_s) for x in found] == [(0.0, 0.1), (0.12, 0.3)]
    assert [x.rate_cps.value for x in found] == pytest.approx([5e4, 5e4])


def test_darkness_is_a_level_with_an_uncertain_rate() -> None:
    (level,) = levels_of(np.zeros(100, np.int64))

    assert level.rate_cps.value == 0.0
    assert level.rate_cps.error is not None
    assert level.rate_cps.error > 0


@cache
def blinking_counts() -> NDArray[np.int64]:
    _, counts = switching(np.random.default_rng(8), (7.6e4, 2.8e4), 0.05, 3.0)
    return counts


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 2999), max_size=12, unique=True))
def test_levels_do_not_depend_on_the_portions_rows_came_in(cuts: list[int]) -> None:
    counts = blinking_counts()
    losses = [(700 * WIDTH, 733 * WIDTH)]
    table, finder = BinTable(0, WIDTH, 1, 4000), LevelFinder(0, ROW_S, 0.0, None)
    pulse = np.repeat(np.arange(len(counts), dtype=np.uint64) * np.uint64(WIDTH), counts)
    whole = Photons(pulse, np.zeros(len(pulse), np.uint16), np.zeros(len(pulse), np.uint8))
    edges = [0, *sorted(cuts), len(counts)]
    for first, stop in pairwise(edges):
        table.add_counts(whole.between(first * WIDTH, stop * WIDTH), stop * WIDTH)
        finder.advance(table, losses)

    assert finder.levels(table, 0.0, 0.0) == levels_of(counts, losses)


def test_only_the_latest_levels_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = levels_of(blinking_counts())
    monkeypatch.setattr(levels_module, "MOST_LEVELS", 10)

    kept = levels_of(blinking_counts())

    assert len(everything) > 20
    assert kept == everything[-11:]


def test_a_long_level_keeps_its_mean_when_its_first_rows_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels_module, "LOOK_BACK_ROWS", 500)
    rng = np.random.default_rng(9)
    counts = rng.poisson(40, 20_000)
    table, finder = BinTable(0, WIDTH, 1, 600), LevelFinder(0, ROW_S, 0.0, None)
    pulse = np.repeat(np.arange(len(counts), dtype=np.uint64) * np.uint64(WIDTH), counts)
    whole = Photons(pulse, np.zeros(len(pulse), np.uint16), np.zeros(len(pulse), np.uint8))
    for first in range(0, len(counts), 50):
        table.add_counts(whole.between(first * WIDTH, (first + 50) * WIDTH), (first + 50) * WIDTH)
        finder.advance(table, [])

    (level,) = finder.levels(table, 0.0, 0.0)

    assert table.first_pulse > 0
    assert level.start_s == 0.0
    assert level.rate_cps.value == pytest.approx(counts[1:-1].mean() / ROW_S, rel=1e-9)


def test_a_table_that_keeps_too_little_is_refused() -> None:
    table, finder = BinTable(0, WIDTH, 1, 10), LevelFinder(0, ROW_S, 0.0, None)
    for stop in (2000, 8000):
        table.add_counts(Photons.empty(), stop * WIDTH)

    with pytest.raises(ValueError, match="keep more"):
        finder.advance(table, [])


def test_levels_of_a_bc_dot_follow_each_other_without_gaps() -> None:
    rng = np.random.default_rng(10)

    _, _, found = sorted_dot(bc_dot(rng, 5.0), rng)

    assert found[0].start_s == 0.0
    assert found[-1].stop_s >= 5.0 - ROW_S
    assert all(a.stop_s == b.start_s for a, b in pairwise(found))
    assert all(x.stop_s > x.start_s for x in found)
