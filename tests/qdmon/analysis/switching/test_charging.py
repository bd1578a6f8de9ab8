"""Charging events against fluence: linear single-exciton ionisation or quadratic Auger ionisation."""

import numpy as np
import pytest

from qdmon.analysis.switching.charging import ChargingCount, charging_exponent
from qdmon.analysis.switching.excitation import excited, excited_twice

FLUENCES = (0.03, 0.05, 0.08, 0.12, 0.2, 0.3)
GROWTH = {"linear": excited, "quadratic": excited_twice}


def counts_for(
    rng: np.random.Generator,
    kind: str,
    *,
    expected: float = 40.0,
    log_error: float = 0.0,
    fluences: tuple[float, ...] = FLUENCES,
) -> list[ChargingCount]:
    """Poisson numbers of charging events, watched until so many are expected at each fluence."""
    return [
        ChargingCount(
            n,
            int(rng.poisson(expected * np.exp(log_error * rng.normal()))),
            expected / float(GROWTH[kind](n)),
            log_error,
        )
        for n in fluences
    ]


@pytest.mark.parametrize(("kind", "exponent"), [("linear", 1.0), ("quadratic", 2.0)])
@pytest.mark.parametrize(("expected", "log_error"), [(8.0, 0.0), (100.0, 0.1)])
def test_the_68_percent_interval_of_the_exponent_holds_the_truth_in_63_to_73_percent(
    kind: str, exponent: float, expected: float, log_error: float
) -> None:
    rng = np.random.default_rng(12)
    draws = [
        charging_exponent(counts_for(rng, kind, expected=expected, log_error=log_error)).exponent
        for _ in range(700)
    ]
    found = np.array([(e.value, e.error) for e in draws], np.float64)
    held = np.abs(found[:, 0] - exponent) < found[:, 1]

    assert 0.63 <= float(held.mean()) <= 0.73
    assert float(found[:, 0].mean()) == pytest.approx(exponent, abs=0.02)


@pytest.mark.parametrize(("kind", "exponent"), [("linear", 1.0), ("quadratic", 2.0)])
def test_the_exponent_is_1_or_2_at_high_fluence_too_where_excitation_saturates(
    kind: str, exponent: float
) -> None:
    rng = np.random.default_rng(14)
    counts = counts_for(rng, kind, expected=4000.0, fluences=(0.3, 0.8, 1.5, 2.5))

    found = charging_exponent(counts).exponent

    assert found.value is not None
    assert found.error is not None
    assert found.value == pytest.approx(exponent, abs=3 * found.error)
    assert found.error < 0.05


@pytest.mark.parametrize("kind", ["linear", "quadratic"])
def test_forty_events_a_fluence_tell_the_laws_apart(kind: str) -> None:
    rng = np.random.default_rng(13)
    told = [charging_exponent(counts_for(rng, kind)) for _ in range(100)]

    assert sum(c.law == kind for c in told) >= 97
    sign = 1 if kind == "linear" else -1
    assert all(c.log_odds_linear is not None and sign * c.log_odds_linear > 0 for c in told)


def test_odds_are_right_as_often_as_they_say() -> None:
    """Few events, so that many calls are doubtful; both laws as likely beforehand."""
    rng = np.random.default_rng(15)
    odds, linear = [], []
    for i in range(1200):
        kind = "linear" if i % 2 else "quadratic"
        # As many events are expected of either law in all.
        growth = np.array([float(GROWTH[kind](n)) for n in (0.05, 0.1, 0.2)])
        expected = 20 * growth / growth.sum()
        counts = [
            ChargingCount(n, int(rng.poisson(e)), 1.0)
            for n, e in zip((0.05, 0.1, 0.2), expected, strict=True)
        ]
        found = charging_exponent(counts)
        if found.log_odds_linear is not None:
            odds.append(found.log_odds_linear)
            linear.append(kind == "linear")
    stated = 1 / (1 + np.exp(-np.array(odds)))
    for low, high in [(0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)]:
        within = (stated >= low) & (stated < high)
        assert float(np.mean(np.array(linear)[within])) == pytest.approx(
            float(stated[within].mean()), abs=0.06
        )


def test_a_dot_charged_both_ways_is_not_forced_into_one_law() -> None:
    rng = np.random.default_rng(16)
    fluences = (0.03, 0.1, 0.3, 1.0)
    rate = [2.0 * excited(n) + 20.0 * excited_twice(n) for n in fluences]
    counts = [
        ChargingCount(n, int(rng.poisson(400)), 400 / float(r)) for n, r in zip(fluences, rate, strict=True)
    ]

    found = charging_exponent(counts)

    assert found.law == "both"
    assert found.exponent.value is not None
    assert 1.2 < found.exponent.value < 1.9


def test_a_few_events_prefer_no_law() -> None:
    found = charging_exponent([ChargingCount(0.1, 6, 10.0), ChargingCount(0.14, 8, 10.0)])

    assert found.law is None
    assert found.exponent.error is not None
    assert found.exponent.error > 1


def test_a_fluence_without_events_counts_as_evidence() -> None:
    found = charging_exponent([ChargingCount(0.03, 0, 10.0), ChargingCount(0.3, 40, 10.0)])

    assert found.exponent.value is None or found.exponent.value > 1
    assert found.law == "quadratic"


@pytest.mark.parametrize(
    "counts",
    [
        [],
        [ChargingCount(0.1, 50, 10.0)],
        [ChargingCount(0.1, 50, 10.0), ChargingCount(0.1, 40, 10.0)],
        [ChargingCount(0.1, 2, 10.0), ChargingCount(0.3, 5, 10.0)],
        [ChargingCount(0.0, 20, 10.0), ChargingCount(0.3, 30, 10.0)],
        [ChargingCount(0.1, 20, 0.0), ChargingCount(0.3, 30, 10.0)],
    ],
)
def test_one_fluence_or_a_few_events_give_no_exponent(counts: list[ChargingCount]) -> None:
    found = charging_exponent(counts)

    assert found.exponent.value is None
    assert found.law is None
    assert found.log_odds_linear is None
