"""Dwell laws: the exponent and cutoff that were drawn come back, and nothing is called what it is not."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad

from qdmon.analysis.dwells import Dwells, dwell_law, log_survival, on_off_dwells

NOTHING = np.empty(0)
BIN_S = 0.01


def draw(
    rng: np.random.Generator, count: int, exponent: float, cutoff_s: float, shortest_s: float
) -> NDArray[np.float64]:
    """Dwells of t^-m exp(-t/tc), m > 1, by rejection from the power law."""
    kept = np.empty(0)
    while len(kept) < count:
        t = shortest_s * rng.random(4 * count) ** (-1 / (exponent - 1))
        kept = np.append(kept, t[rng.random(len(t)) < np.exp((shortest_s - t) / cutoff_s)])
    return kept[:count]


@pytest.mark.parametrize("exponent", [0.0, 1.0, 1.5, 2.5])
@pytest.mark.parametrize("in_cutoffs", [1e-5, 0.02, 3.0])
def test_the_normalisation_is_the_integral_it_says(exponent: float, in_cutoffs: float) -> None:
    from_s = 0.02
    integral = quad(
        lambda u: np.exp((1 - exponent) * u - in_cutoffs * np.expm1(u)),
        0,
        np.log1p(60 / in_cutoffs),
        epsabs=0,
        epsrel=1e-11,
        limit=300,
    )[0]
    expected = np.log(integral) + (1 - exponent) * np.log(from_s) - in_cutoffs

    (found,) = log_survival(np.array([from_s]), exponent, in_cutoffs / from_s)

    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("bin_s", [0.0, BIN_S])
def test_the_68_percent_intervals_hold_the_truth_in_68_percent_of_draws(bin_s: float) -> None:
    rng = np.random.default_rng(1)
    exponent, cutoff_s, draws = 1.5, 0.5, 200
    held = np.zeros(2)
    for _ in range(draws):
        t = draw(rng, 300, exponent, cutoff_s, 0.015)
        if bin_s:
            t = np.round(t / bin_s) * bin_s
        law = dwell_law(Dwells(t, NOTHING, bin_s))
        assert law.law == "power law"
        for i, (estimate, truth) in enumerate([(law.exponent, exponent), (law.cutoff_s, cutoff_s)]):
            assert estimate.value is not None
            assert estimate.error is not None
            held[i] += abs(estimate.value - truth) < estimate.error

    assert held[0] / draws == pytest.approx(0.68, abs=0.08)
    assert held[1] / draws == pytest.approx(0.68, abs=0.08)


def test_exponential_dwells_are_not_called_a_power_law() -> None:
    rng = np.random.default_rng(2)
    laws = [
        dwell_law(Dwells(np.round(rng.exponential(0.2, 200) / BIN_S) * BIN_S, NOTHING, BIN_S))
        for _ in range(60)
    ]

    assert sum(law.law != "exponential" for law in laws) <= 1
    pulls = [
        (x.cutoff_s.value - 0.2) / x.cutoff_s.error for x in laws if x.cutoff_s.value and x.cutoff_s.error
    ]
    assert np.mean(np.abs(pulls) < 1) == pytest.approx(0.68, abs=0.15)


def test_a_pure_power_law_has_no_cutoff_to_report() -> None:
    rng = np.random.default_rng(3)
    t = 0.02 * rng.random(200) ** -2.0

    law = dwell_law(Dwells(t, NOTHING, 0.0))

    assert law.law == "power law"
    assert law.cutoff_s.value is None
    assert law.exponent.value == pytest.approx(1.5, abs=0.12)


def test_fewer_than_thirty_dwells_say_nothing() -> None:
    law = dwell_law(Dwells(np.linspace(0.1, 2.0, 29), NOTHING, BIN_S))

    assert law.dwells == 29
    assert law.law is None
    assert law.exponent.value is None
    assert law.cutoff_s.value is None
    assert dwell_law(Dwells(NOTHING, NOTHING, 0.0)).law is None


def test_a_dwell_cut_by_the_end_counts_as_at_least_so_long() -> None:
    rng = np.random.default_rng(4)
    true_s, watched_s, values = 1.0, 0.8, []
    for _ in range(30):
        t = rng.exponential(true_s, 150)
        law = dwell_law(Dwells(t[t < watched_s], np.full(int((t >= watched_s).sum()), watched_s), 0.0))
        assert law.cutoff_s.value is not None
        values.append(law.cutoff_s.value)

    assert np.mean(values) == pytest.approx(true_s, rel=0.05)


def test_dwells_are_read_with_hysteresis_and_open_ends_are_told_apart() -> None:
    #        going on | off: 3 bins  | on: 5, with a dip | off: 2   | on, cut
    counts = [90, 100, 20, 30, 25, 100, 90, 55, 95, 100, 10, 30, 100, 100, 100]

    on, off = on_off_dwells(np.array(counts, np.float64), np.ones(15, bool), BIN_S, 100.0, 20.0)

    assert on.complete_s == pytest.approx([0.05])
    assert off.complete_s == pytest.approx([0.03, 0.02])
    assert on.cut_s == pytest.approx([0.03])
    assert len(off.cut_s) == 0


def test_a_piece_that_begins_dark_does_not_know_how_long_that_dwell_is() -> None:
    counts = np.array([20, 20, 100, 100, 20, 20, 20], np.float64)

    on, off = on_off_dwells(counts, np.ones(7, bool), BIN_S, 100.0, 20.0)

    assert on.complete_s == pytest.approx([0.02])
    assert len(off.complete_s) == 0
    assert off.cut_s == pytest.approx([0.03])


def test_a_loss_cuts_the_dwell_it_falls_in() -> None:
    counts = np.array([100, 20, 20, 0, 20, 100, 20, 100], np.float64)
    good = np.arange(8) != 3

    on, off = on_off_dwells(counts, good, BIN_S, 100.0, 20.0)

    assert off.cut_s == pytest.approx([0.02])
    assert off.complete_s == pytest.approx([0.01])
    assert on.complete_s == pytest.approx([0.01])


def test_levels_that_are_not_apart_have_no_dwells() -> None:
    on, off = on_off_dwells(np.full(50, 30.0), np.ones(50, bool), BIN_S, 30.0, 30.0)

    assert len(on.complete_s) == len(off.complete_s) == 0
