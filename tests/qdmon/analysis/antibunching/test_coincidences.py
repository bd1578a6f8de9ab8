"""g2(0) from numbers of pairs: errors and limits cover the truth as often as they say."""

import numpy as np
import pytest
from scipy.stats import poisson

from qdmon.analysis.antibunching.coincidences import (
    Coincidences,
    ZeroDelay,
    dip_significance,
    probability_single,
)

SIDE_PEAKS = 18
MEASUREMENTS = 500


def known(zero: float, side: float) -> ZeroDelay:
    return Coincidences(zero, side, SIDE_PEAKS).zero_delay()


def lower_99(found: ZeroDelay) -> float | None:
    """One-sided 99 % lower limit; None where nothing is known."""
    return found.pairs.lower_limit() if found.pairs is not None else None


def error_of(found: ZeroDelay) -> tuple[float, float]:
    assert found.value.value is not None
    assert found.value.error is not None
    return found.value.value, found.value.error


@pytest.mark.parametrize("expected_pairs", [0.3, 1.0, 3.0, 10.0, 40.0])
def test_the_upper_limit_covers_the_truth_in_99_of_100_measurements(expected_pairs: float) -> None:
    side = 300.0
    counts = np.arange(0, 200)
    limits = [known(float(n), side).upper_99 for n in counts]
    covered = np.array([limit is not None and limit >= expected_pairs / side for limit in limits])
    assert float(poisson.pmf(counts, expected_pairs) @ covered) >= 0.99


def held(mean: float, least: float, width: float = 1.0) -> float:
    """How often so many errors hold the truth, of so many expected pairs of which `least` come at g = 0."""
    net = 1e5
    first, last = poisson.ppf([1e-4, 1 - 1e-4], mean)
    counts = np.arange(first, last + 1)
    made = [Coincidences(float(n), net + least, SIDE_PEAKS, chance=least).zero_delay() for n in counts]
    value, error = np.array([error_of(found) for found in made]).T
    off = np.abs(value - (mean - least) / net)
    return float(poisson.pmf(counts, mean) @ (off <= width * error))


@pytest.mark.parametrize("share_at_zero", [0.0, 0.2, 0.5])
@pytest.mark.parametrize(("lowest", "highest"), [(1.0, 3.0), (3.0, 10.0), (10.0, 100.0), (100.0, 1000.0)])
def test_the_error_covers_the_truth_in_two_of_three_measurements_down_to_one_expected_pair(
    lowest: float, highest: float, share_at_zero: float
) -> None:
    means = np.geomspace(lowest, highest, 20 if highest < 50 else 4)
    inside = [held(mean, share_at_zero * mean) for mean in means]
    assert 0.66 <= np.mean(inside) <= 0.72


def test_below_one_expected_pair_the_error_is_rather_too_long_than_too_short() -> None:
    inside = [held(mean, 0.2 * mean) for mean in np.geomspace(0.5, 1.0, 30)]
    assert 0.68 <= np.mean(inside) <= 0.9


def test_hardly_a_measurement_is_far_off_by_its_own_error_however_few_pairs_it_had() -> None:
    for lowest, highest in ((1.0, 3.0), (3.0, 10.0)):
        inside = [held(mean, 0.3 * mean, width=2.5) for mean in np.geomspace(lowest, highest, 30)]
        assert np.mean(inside) >= 0.965


def test_a_count_that_is_low_by_chance_makes_nothing_surer() -> None:
    """Three pairs come at g2(0) = 0 as well: with none of them the error is no smaller than with them."""
    errors = [error_of(Coincidences(n, 60.0, SIDE_PEAKS, chance=3.0).zero_delay())[1] for n in (0.0, 3.0)]
    assert errors[0] >= 0.999 * errors[1]
    assert error_of(known(0.0, 60.0))[1] > 0.7 / 60


# Net pairs per side peak, pairs by chance, g2(0), pairs of other pulses over net pairs.
SITUATIONS = {
    "few pairs": (12.0, 2.0, 0.1, 0.0),
    "few pairs of two dots": (12.0, 4.0, 0.5, 0.03),
    "a dim dot on strong background": (40.0, 20.0, 0.3, 0.0),
    "a long lifetime": (200.0, 50.0, 0.1, 0.05),
    "a bright dot": (2000.0, 100.0, 0.02, 0.04),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_errors_and_limits_hold_while_everything_they_lean_on_has_an_error_too(situation: str) -> None:
    net, chance, truth, found = SITUATIONS[situation]
    rng = np.random.default_rng(1)
    lost, chance_error, found_error = 0.02, 0.2 * chance, 0.1 * found
    inside, below_upper, above_lower = [], [], []
    for _ in range(MEASUREMENTS):
        zero = rng.poisson(((1 - lost) * truth + found) * net + chance)
        side = rng.poisson((net + chance) * SIDE_PEAKS) / SIDE_PEAKS
        measured = Coincidences(
            zero,
            side,
            SIDE_PEAKS,
            chance=max(rng.normal(chance, chance_error), 0.0),
            chance_error=chance_error,
            found=rng.normal(found, found_error),
            found_error=found_error,
            lost=lost,
        ).zero_delay()
        value, error = error_of(measured)
        assert measured.upper_99 is not None
        lower = lower_99(measured)
        assert lower is not None
        inside.append(abs(value - truth) <= error)
        below_upper.append(truth <= measured.upper_99)
        above_lower.append(truth >= lower)
    # Two standard deviations of that many measurements around what few pairs allow.
    assert 0.63 <= np.mean(inside) <= 0.75
    # Three standard deviations of that many measurements.
    assert np.mean(below_upper) >= 0.975
    assert np.mean(above_lower) >= 0.975


@pytest.mark.parametrize("zero", [0.0, 1.0, 7.0, 40.0])
def test_what_the_lower_limit_excludes_is_known_without_it(zero: float) -> None:
    found = Coincidences(zero, 50.0, SIDE_PEAKS, chance=2.0, chance_error=1.0).zero_delay()
    lower = lower_99(found)
    assert lower is not None
    for g in (0.0, 0.1, 0.25, 0.5):
        assert found.surely_above(g) == (lower > g)


def test_ignorance_of_the_side_peaks_and_the_background_widens_error_and_limit() -> None:
    sure = Coincidences(25.0, 50.0, SIDE_PEAKS, chance=10.0).zero_delay()
    for doubtful in (
        Coincidences(25.0, 50.0, 2, chance=10.0),
        Coincidences(25.0, 50.0, SIDE_PEAKS, chance=10.0, chance_error=5.0),
        Coincidences(25.0, 50.0, SIDE_PEAKS, chance=10.0, photon_share=0.04),
        Coincidences(25.0, 50.0, SIDE_PEAKS, chance=10.0, found_error=0.1),
    ):
        found = doubtful.zero_delay()
        assert found.value.value == pytest.approx(sure.value.value)
        assert error_of(found)[1] > 1.02 * error_of(sure)[1]
        assert found.upper_99 is not None
        assert sure.upper_99 is not None
        assert found.upper_99 > sure.upper_99


def test_pairs_of_other_pulses_are_taken_off_and_true_pairs_that_were_lost_are_put_back() -> None:
    truth = 0.3
    zero = 10.0 + 40.0 * (0.05 + 0.9 * truth)
    found = Coincidences(zero, 50.0, SIDE_PEAKS, chance=10.0, found=0.05, lost=0.1).zero_delay()
    assert found.value.value == pytest.approx(truth)


def test_limits_are_garwoods_where_all_else_is_known() -> None:
    found = known(0.0, 1e6)
    assert found.upper_99 == pytest.approx(-np.log(0.01) / 1e6, rel=1e-3)
    assert lower_99(found) == 0.0
    assert error_of(found)[1] > 0


def test_too_few_pairs_say_nothing() -> None:
    for nothing in (known(0.0, 0.5), Coincidences(0.0, 50.0, SIDE_PEAKS, chance=60.0).zero_delay()):
        assert nothing.value.value is None
        assert nothing.upper_99 is None
        assert lower_99(nothing) is None


def test_a_peak_like_its_neighbours_has_no_significance_and_an_empty_one_grows_with_them() -> None:
    assert dip_significance(100.0, 100.0, SIDE_PEAKS) == pytest.approx(0.0, abs=1e-6)
    assert dip_significance(0.0, 0.0, SIDE_PEAKS) == 0.0
    growing = [dip_significance(0.0, side, SIDE_PEAKS) for side in (1.0, 10.0, 100.0)]
    assert growing == sorted(growing)
    assert growing[1] == pytest.approx(np.sqrt(2 * 10.0 * SIDE_PEAKS * np.log(19 / 18)))
    assert dip_significance(150.0, 100.0, SIDE_PEAKS) < -3


def test_a_significance_of_two_is_exceeded_by_chance_in_about_2_of_100_flat_peaks() -> None:
    rng = np.random.default_rng(2)
    flat = rng.poisson(60.0, (4000, SIDE_PEAKS + 1))
    dips = [dip_significance(float(row[0]), float(row[1:].mean()), SIDE_PEAKS) for row in flat]
    assert 0.015 < np.mean(np.array(dips) > 2.0) < 0.032


def test_few_pairs_already_tell_how_likely_one_emitter_is() -> None:
    """Six pairs in a side peak: none at zero lag speaks for one emitter, four for two."""
    chances = [probability_single([(Coincidences(n, 6.0, 18), 0.1)]) or 0.0 for n in range(7)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.95
    assert chances[4] < 0.6


def test_no_pairs_say_nothing_of_the_emitters() -> None:
    assert probability_single([(Coincidences(zero=0.0, side=0.5, side_peaks=18), 0.1)]) is None


def test_many_pairs_leave_no_doubt_about_the_emitters() -> None:
    one, two = (
        probability_single([(Coincidences(n, 300.0, 18), 0.1), (Coincidences(late, 150.0, 18), 0.03)])
        for n, late in ((30.0, 5.0), (160.0, 75.0))
    )
    assert one is not None
    assert one > 0.999
    assert two is not None
    assert two < 1e-3


def test_early_pairs_of_a_bright_biexciton_leave_a_single_emitter_possible_if_late_ones_are_missing() -> None:
    """Half of a side peak early: one biexciton in two hundred, and no pair of dots without late pairs."""
    early = Coincidences(94.0, 163.5, 18, chance=12.5)
    alone, together = (
        probability_single(pairs)
        for pairs in ([(early, 0.1)], [(early, 0.1), (Coincidences(5.0, 49.4, 18, chance=5.9), 0.03)])
    )
    assert alone is not None
    assert alone < 0.2
    assert together is not None
    assert together > 0.9


def test_pairs_of_both_classes_together_say_more_than_either() -> None:
    early, late = Coincidences(0.0, 3.0, 18), Coincidences(0.0, 3.0, 18)
    alone = [probability_single([pair]) or 0.0 for pair in ((early, 0.1), (late, 0.03))]
    together = probability_single([(early, 0.1), (late, 0.03)]) or 0.0
    assert together > max(alone)


def test_late_pairs_of_a_second_emitter_are_not_outweighed_by_missing_early_ones() -> None:
    early, late = Coincidences(2.0, 10.0, 18), Coincidences(9.0, 18.0, 18)
    assert (probability_single([(early, 0.1), (late, 0.03)]) or 0.0) < 0.05


def test_a_crowd_in_bursts_is_not_taken_for_one_emitter() -> None:
    """Beads that move through the focus: as many pairs at zero lag as at others."""
    assert (probability_single([(Coincidences(290.0, 300.0, 18), 0.1)]) or 0.0) < 1e-3
    assert (probability_single([(Coincidences(0.0, 5.0, 18), 0.1)]) or 0.0) > 0.9


@pytest.mark.parametrize("chance", [0.0, 1.0, 4.0, 10.0])
def test_fewer_pairs_than_chance_makes_exclude_no_more_than_no_pairs_without_chance(chance: float) -> None:
    # No pair excludes more than ln 100 of them with 99 %.
    net = 1e5
    limit = Coincidences(0.0, net + chance, SIDE_PEAKS, chance).zero_delay().upper_99
    assert limit is not None
    assert limit * net == pytest.approx(np.log(100), rel=0.01)


def test_no_limit_is_told_where_the_side_peaks_may_be_nothing_but_chance() -> None:
    found = Coincidences(3.0, 5.0, SIDE_PEAKS, chance=4.0, chance_error=1.0).zero_delay()
    assert found.value.value is not None
    assert found.upper_99 is None


def test_no_limit_is_told_where_chance_alone_would_make_far_more_pairs_than_there_are() -> None:
    assert Coincidences(0.0, 200.0, SIDE_PEAKS, chance=100.0).zero_delay().upper_99 is None


def test_blinking_makes_side_peaks_higher_than_steady_light() -> None:
    assert Coincidences(1.0, 50.0, SIDE_PEAKS, chance=10.0, steady=20.0).bunching == pytest.approx(2.0)
    assert Coincidences(1.0, 50.0, SIDE_PEAKS, chance=10.0, steady=45.0).bunching == 1.0
    assert Coincidences(1.0, 50.0, SIDE_PEAKS).bunching == 1.0


def test_few_pairs_at_zero_lag_say_less_for_a_single_emitter_the_more_the_light_blinks() -> None:
    chances = [
        probability_single([(Coincidences(8.0, 80.0, SIDE_PEAKS, steady=80.0 / bunching), 0.03)])
        for bunching in (1.0, 2.0, 4.0)
    ]
    steady, blinking, strongly = (c or 0.0 for c in chances)
    assert steady > 0.999
    assert steady > blinking > strongly
    # Two of the same, each bright a seventh of the time, make as many pairs as a biexciton would.
    assert strongly < 0.9
