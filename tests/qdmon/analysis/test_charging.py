"""Charging events against fluence: linear single-exciton ionisation or quadratic Auger ionisation."""

import numpy as np
import pytest

from qdmon.analysis.charging import ChargingCount, charging_exponent

FLUENCES = (0.03, 0.05, 0.08, 0.12, 0.2, 0.3)


def excited(n: float) -> float:
    return float(-np.expm1(-n))


def doubly_excited(n: float) -> float:
    return float(1 - np.exp(-n) * (1 + n))


def counts_for(rng: np.random.Generator, kind: str) -> list[ChargingCount]:
    """Poisson numbers of charging events, looked for until about 40 are expected at each fluence."""
    share = excited if kind == "linear" else doubly_excited
    rate = {n: 20 * share(n) / share(0.2) for n in FLUENCES}
    return [ChargingCount(n, int(rng.poisson(40)), 40 / rate[n]) for n in FLUENCES]


@pytest.mark.parametrize(("kind", "exponent", "tolerance"), [("linear", 1.0, 0.15), ("quadratic", 2.0, 0.2)])
def test_row_12_the_exponent_of_the_charging_rate_tells_how_the_dot_ionises(
    kind: str, exponent: float, tolerance: float
) -> None:
    rng = np.random.default_rng(12)
    found = [charging_exponent(counts_for(rng, kind)).exponent for _ in range(60)]
    values = np.array([f.value for f in found], np.float64)
    errors = np.array([f.error for f in found], np.float64)
    # 1 - exp(-N) and P(n >= 2) bend a little below N and N^2 up to N = 0.3.
    assert float(values.mean()) == pytest.approx(exponent, abs=tolerance / 1.5)
    assert float(np.mean(np.abs(values - exponent) < 2 * tolerance)) > 0.9
    assert float(values.std() / errors.mean()) == pytest.approx(1.0, abs=0.25)


def test_linear_and_quadratic_are_told_apart_by_many_standard_errors() -> None:
    rng = np.random.default_rng(13)
    linear, quadratic = (charging_exponent(counts_for(rng, k)).exponent for k in ("linear", "quadratic"))
    assert linear.value is not None
    assert linear.error is not None
    assert quadratic.value is not None
    assert quadratic.error is not None
    assert quadratic.value - linear.value > 5 * max(linear.error, quadratic.error)


def test_a_fluence_without_events_counts_as_evidence() -> None:
    seen = [ChargingCount(0.03, 0, 10.0), ChargingCount(0.3, 40, 10.0)]
    exponent = charging_exponent(seen).exponent.value
    assert exponent is None or exponent > 1


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
    assert charging_exponent(counts).exponent.value is None
