"""Dim dwells and how often the light switches off."""

import numpy as np
import pytest

from qdmon.analysis.switching.blinks import blinking_rate_hz, find_blinks


def test_a_dwell_begins_with_a_third_of_the_light_lost_and_ends_when_it_is_back() -> None:
    auger = np.array([0, 0.05, 0.6, 0.6, 0.25, 0.1, 0, 0.22, 0, 0.6])
    trap = np.zeros(10)
    first, last = find_blinks(auger, trap, depth=0.6)
    assert (first.first, first.stop) == (2, 5)
    assert (last.first, last.stop) == (9, 10)
    assert first.lost_bins == pytest.approx(1.45)
    assert first.lost_inside == pytest.approx(0.6)
    assert first.lost_beside == pytest.approx(0.15)
    assert (last.lost_inside, last.lost_beside) == (0.0, 0.0)


def test_where_blinks_lose_little_a_dwell_is_half_of_what_they_lose() -> None:
    trap = np.array([0, 0.05, 0.24, 0.24, 0.24, 0.07, 0, 0.1, 0, 0.24, 0.24])
    first, last = find_blinks(np.zeros(11), trap)
    assert (first.first, first.stop) == (2, 5)
    assert (last.first, last.stop) == (9, 11)


def test_a_dot_that_blinks_to_a_bright_trion_does_so_whatever_its_darkest_one_loses() -> None:
    auger = np.array([0, 0.3, 0.3, 0.3, 0, 0, 0, 0.3, 0.3, 0.3, 0.3, 0, 0.02, 0])
    blinks = find_blinks(auger, np.zeros(14), depth=0.73)
    assert [(b.first, b.stop) for b in blinks] == [(1, 4), (7, 11)]


def test_a_dwell_knows_which_share_auger_recombination_took() -> None:
    (blink,) = find_blinks(np.array([0, 0.45, 0.45, 0]), np.array([0, 0.15, 0.15, 0]))
    assert blink.auger_share == pytest.approx(0.75)


def test_a_steady_dot_does_not_blink() -> None:
    assert find_blinks(np.full(50, 0.05), np.full(50, 0.05)) == ()


def test_the_blinking_rate_counts_switches_and_not_the_noise_of_a_level() -> None:
    rng = np.random.default_rng(1)
    level = np.where(np.arange(2500) % 40 < 30, 760.0, 280.0)
    rate = blinking_rate_hz(rng.poisson(level).astype(np.float64), 0.01, 760.0, 280.0)
    assert rate == pytest.approx(2.5, abs=0.05)


def test_a_single_level_has_no_blinking_rate() -> None:
    assert blinking_rate_hz(np.full(100, 500.0), 0.01, 500.0, 500.0) is None
    assert blinking_rate_hz(np.full(5, 500.0), 0.01, 760.0, 280.0) is None
