"""On and off dwells read from counts."""

import numpy as np
import pytest

from qdmon.analysis.switching.dwells import on_off_dwells, rows_per_dwell_bin

BIN_S = 0.01


def test_dwells_are_read_with_hysteresis_and_open_ends_are_told_apart() -> None:
    #        going on | off: 3 bins  | on: 5, with a dip | off: 2   | on, cut
    counts = [90, 100, 20, 30, 25, 100, 90, 55, 95, 100, 10, 30, 100, 100, 100]

    on, off = on_off_dwells(np.array(counts, np.float64), np.ones(15, bool), BIN_S, 100.0, 20.0)

    assert on.complete.tolist() == [5]
    assert off.complete.tolist() == [3, 2]
    assert on.cut.tolist() == [3]
    assert len(off.cut) == 0
    assert on.bin_s == BIN_S


def test_a_flicker_of_one_bin_ends_no_dwell() -> None:
    counts = np.array([100, 100, 20, 100, 100, 20, 20, 100, 20, 20, 100, 100], np.float64)

    on, off = on_off_dwells(counts, np.ones(12, bool), BIN_S, 100.0, 20.0)

    assert off.complete.tolist() == [5]
    assert on.cut.tolist() == [2]
    assert len(on.complete) == 0


def test_a_piece_that_begins_dark_does_not_know_how_long_that_dwell_is() -> None:
    counts = np.array([20, 20, 100, 100, 20, 20, 20], np.float64)

    on, off = on_off_dwells(counts, np.ones(7, bool), BIN_S, 100.0, 20.0)

    assert on.complete.tolist() == [2]
    assert len(off.complete) == 0
    assert off.cut.tolist() == [3]


def test_a_loss_cuts_the_dwell_it_falls_in() -> None:
    counts = np.array([100, 20, 20, 0, 20, 100, 100, 20, 20, 100, 100], np.float64)
    good = np.arange(11) != 3

    on, off = on_off_dwells(counts, good, BIN_S, 100.0, 20.0)

    assert off.cut.tolist() == [2]
    assert off.complete.tolist() == [2]
    assert on.complete.tolist() == [2]


def test_levels_that_are_not_apart_have_no_dwells() -> None:
    on, off = on_off_dwells(np.full(50, 30.0), np.ones(50, bool), BIN_S, 30.0, 30.0)

    assert len(on.complete) == len(off.complete) == 0


@pytest.mark.parametrize(("bright", "dim", "width"), [(152.0, 56.0, 1), (76.0, 28.0, 2), (5.0, 1.9, 20)])
def test_bins_are_as_short_as_the_light_allows(bright: float, dim: float, width: int) -> None:
    assert rows_per_dwell_bin(bright, dim) == width


def test_bins_of_that_width_do_not_switch_by_chance() -> None:
    rng = np.random.default_rng(1)
    for bright, dim in ((152.0, 56.0), (76.0, 28.0), (20.0, 8.0), (5.0, 1.9)):
        width = rows_per_dwell_bin(bright, dim)
        for level in (bright, dim):
            counts = rng.poisson(level * width, 100_000).astype(np.float64)
            on, off = on_off_dwells(counts, np.ones(100_000, bool), BIN_S, bright * width, dim * width)
            assert len(on.complete) + len(off.complete) <= 10
