"""One dot or two: behind a gate a biexciton is gone and a second dot is not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import poisson

from qdmon.analysis.antibunching.coincidences import Coincidences, ZeroDelay
from qdmon.analysis.antibunching.g2 import no_g2
from qdmon.analysis.antibunching.gated import (
    Gated,
    belief_in_single,
    biexciton_yield,
    emitter_doubt,
    gate_for,
    is_single,
)
from qdmon.analysis.antibunching.pairs import GATES_NS
from qdmon.analysis.results.estimate import UNKNOWN, Estimate
from qdmon.analysis.results.pair_correlation import G2
from tests.qdmon.analysis.antibunching import pulsed

LIFETIME_NS = 24.0
UNKNOWN_ZERO = ZeroDelay(UNKNOWN, None, None)


def pairs_at_zero(g2: float, side: float = 1000.0) -> ZeroDelay:
    return Coincidences(round(g2 * side), side, 18).zero_delay()


def verdict(ungated: float, gated: float, side: float = 1000.0) -> bool | None:
    return is_single(pairs_at_zero(ungated, side), Gated(5.0, pairs_at_zero(gated, side)))


@pytest.mark.parametrize("ratio", [0.03, 0.1, 0.3, 0.6])
def test_the_gate_opens_three_to_seven_biexciton_yields_behind_the_response(ratio: float) -> None:
    gate_ns = GATES_NS[gate_for(pairs_at_zero(ratio, 1e5), LIFETIME_NS)]
    biexciton_ns = ratio * LIFETIME_NS / 4
    assert 3 * biexciton_ns < gate_ns - 0.5 < 7 * biexciton_ns + 0.5
    # Two photons of a single exciton must be able to pass.
    assert gate_ns < LIFETIME_NS


def test_an_uncertain_g2_opens_the_gate_later() -> None:
    assert gate_for(pairs_at_zero(0.1, 20.0), LIFETIME_NS) > gate_for(pairs_at_zero(0.1, 1e5), LIFETIME_NS)


@pytest.mark.parametrize(
    ("zero", "yield_ratio"),
    [
        (UNKNOWN, 0.15),
        (Estimate(0.3, 0.1), 0.225),  # as well known as what is believed beforehand
        (Estimate(0.3, 0.003), 0.3),
        (Estimate(-0.02, 0.01), 0.05),
        (Estimate(0.9, 0.01), 0.5),
    ],
)
def test_the_yield_of_biexcitons_is_what_pairs_say_within_reason(zero: Estimate, yield_ratio: float) -> None:
    seen = G2(np.empty(0), np.empty(0, np.int64), zero, None, 0.0, "rising edges", None)
    assert biexciton_yield(seen) == pytest.approx(yield_ratio, rel=0.01)


def test_a_bright_biexciton_does_not_make_a_dot_two() -> None:
    assert verdict(ungated=0.65, gated=0.02) is True


def test_two_dots_are_two_whatever_their_biexcitons_add() -> None:
    assert verdict(ungated=0.5, gated=0.47) is False
    assert verdict(ungated=0.8, gated=0.47) is False


@pytest.mark.parametrize("side", [10.0, 30.0, 100.0, 300.0, 3000.0])
def test_a_dot_beside_one_three_times_as_bright_is_called_single_in_less_than_1_percent(
    side: float,
) -> None:
    mean = 0.375 * side
    counts = np.unique(poisson.ppf(np.linspace(1e-4, 1 - 1e-4, 200), mean))
    called = [verdict(0.4, float(n) / side, side) for n in counts]
    chance = np.diff(poisson.cdf(counts, mean), prepend=0.0)
    assert chance @ [c is True for c in called] <= 0.0101
    if side >= 300:
        assert chance @ [c is False for c in called] > 0.9


def two_alike(bunching: float, side: float) -> list[tuple[float, bool | None]]:
    """Chance of each count of two emitters that blink by themselves, and the verdict on it."""
    mean = 0.5 / bunching * side
    low, high = poisson.interval(1 - 1e-6, mean)
    counts = np.arange(low, high + 1)
    verdicts = [
        is_single(pairs_at_zero(0.4), Gated(5.0, pairs_at_zero(n / side, side)), bunching) for n in counts
    ]
    return list(zip(poisson.pmf(counts, mean).tolist(), verdicts, strict=True))


@pytest.mark.parametrize("bunching", [1.0, 1.5, 2.5, 5.0])
@pytest.mark.parametrize("side", [30.0, 100.0, 1000.0])
def test_two_dots_that_are_seldom_bright_together_are_not_called_single(bunching: float, side: float) -> None:
    assert sum(chance for chance, verdict in two_alike(bunching, side) if verdict is True) < 0.01


def test_a_single_dot_that_blinks_is_called_single_by_pairs_enough() -> None:
    gated = Gated(5.0, pairs_at_zero(0.02, 500.0))
    assert is_single(pairs_at_zero(0.1), gated, 3.0) is True
    assert is_single(pairs_at_zero(0.1), Gated(5.0, pairs_at_zero(0.02, 50.0)), 3.0) is None


def test_below_a_half_is_no_proof_where_gated_pairs_remain() -> None:
    # One photon in eight is of a second dot: 2 a (1 - a) = 0.22.
    assert verdict(ungated=0.3, gated=0.22, side=5000.0) is None


def test_few_pairs_leave_it_open() -> None:
    assert verdict(ungated=0.1, gated=0.1, side=8.0) is None
    assert is_single(UNKNOWN_ZERO, Gated(5.0, UNKNOWN_ZERO)) is None


def test_without_nanotimes_the_classic_criterion_holds() -> None:
    assert is_single(pairs_at_zero(0.3), None) is True
    assert is_single(pairs_at_zero(0.7), None) is False
    assert is_single(pairs_at_zero(0.5), None) is None


def test_light_too_fast_for_any_gate_is_judged_by_the_classic_criterion() -> None:
    assert is_single(pairs_at_zero(0.1), Gated(5.0, UNKNOWN_ZERO)) is True


def g2_like(single: bool | None, gated: Estimate, limit: float | None) -> G2:
    g2 = pulsed.g2_of(pulsed.emitter(np.random.default_rng(1), 1000, 0.02, 0.1), 1000)
    return replace(g2, single_emitter=single, gated_zero=gated, gated_upper_limit_99=limit, gate_ns=5.5)


def test_doubts_are_told_in_words_with_the_number_they_rest_on() -> None:
    assert emitter_doubt(g2_like(True, Estimate(0.0, 0.01), 0.03)) is None
    assert "0.46" in (emitter_doubt(g2_like(None, Estimate(0.2, 0.1), 0.46)) or "")
    assert "too few pairs" in (emitter_doubt(g2_like(None, UNKNOWN, None)) or "")
    two = emitter_doubt(g2_like(False, Estimate(0.48, 0.02), 0.53)) or ""
    assert "more than one emitter" in two
    assert "0.48" in two


@pytest.mark.parametrize(("chance", "doubted"), [(0.99, False), (0.5, True)])
def test_before_a_single_emitter_is_shown_its_chance_bounds_what_is_stated(
    chance: float, doubted: bool
) -> None:
    g2 = G2(np.empty(0), np.empty(0, np.int64), UNKNOWN, 0.7, 0.0, "none", None, single_probability=chance)
    assert (emitter_doubt(g2) is not None) == doubted
    assert belief_in_single(g2) == chance
    assert belief_in_single(replace(g2, single_emitter=True)) == 1.0


@pytest.mark.parametrize(
    ("chance", "belief"), [(0.3, 0.3), (0.87, 0.87), (0.97, 0.87), (0.98, 0.98), (0.99, 0.99)]
)
def test_less_than_fifty_to_one_for_one_emitter_states_no_type_at_nine_tenths(
    chance: float, belief: float
) -> None:
    assert belief_in_single(replace(no_g2("none"), single_probability=chance)) == belief
    # A verdict that is sure of all else is spread evenly over five types to that degree.
    assert (belief + (1 - belief) / 5 < 0.9) == (chance < 0.98)
