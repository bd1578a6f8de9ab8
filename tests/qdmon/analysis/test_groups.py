"""How many intensities a dot has: as many as its photons show, not two by decree."""

import numpy as np
import pytest

from qdmon.analysis.groups import distinct_levels
from qdmon.analysis.snapshot import Estimate, Level
from tests.qdmon.analysis.builders import Dwell, auger_dot
from tests.qdmon.analysis.test_levels import sorted_dot

# The demonstration dot of the AMOLF change-point toolbox (golden row 21).
AMOLF = {5e3: 1 / 0.4, 20e3: 1 / 0.25, 30e3: 1 / 0.15, 50e3: 1 / 0.05}


def power_law_dwell(rng: np.random.Generator) -> float:
    """10 ms to 5 s, p(t) ~ t^-1.5."""
    low, high = 0.01**-0.5, 5.0**-0.5
    return float((low + rng.random() * (high - low)) ** -2)


def amolf_dot(rng: np.random.Generator, duration_s: float) -> list[Dwell]:
    dwells: list[Dwell] = []
    while sum(d.duration_s for d in dwells) < duration_s:
        others = [r for r in AMOLF if not dwells or r != dwells[-1].rate_cps]
        rate = float(rng.choice(others))
        dwells.append(Dwell(power_law_dwell(rng), rate, AMOLF[rate]))
    return dwells


def measured(rng: np.random.Generator, rate_cps: float, seconds: float) -> Level:
    n = int(rng.poisson(rate_cps * seconds))
    rate = Estimate(n / seconds, float(np.sqrt(max(n, 1))) / seconds)
    return Level(0.0, seconds, rate, Estimate(None), provisional=False)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_four_levels_of_the_amolf_dot_are_four(seed: int) -> None:
    rng = np.random.default_rng(seed)

    _, _, levels = sorted_dot(amolf_dot(rng, 60.0), rng, period_ns=100.0, background_cps=50.0)
    states = distinct_levels(levels)

    intensities = [state.intensity_cps.value for state in states]
    decay_rates = [1 / (state.lifetime_ns.value or np.nan) for state in states]
    assert intensities == pytest.approx(sorted(AMOLF, reverse=True), rel=0.05)
    assert decay_rates == pytest.approx([0.05, 0.15, 0.25, 0.4], rel=0.05)


def test_two_levels_of_the_papers_dot_are_two() -> None:
    rng = np.random.default_rng(3)

    _, _, levels = sorted_dot(auger_dot(rng, 25.0), rng)
    bright, dim = distinct_levels(levels)

    assert bright.intensity_cps.value == pytest.approx(76e3, rel=0.02)
    assert dim.intensity_cps.value == pytest.approx(28e3, rel=0.02)
    assert bright.lifetime_ns.value == pytest.approx(24.7, rel=0.02)
    assert dim.lifetime_ns.value == pytest.approx(5.0, rel=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_one_intensity_stays_one_however_many_levels_show_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels = [measured(rng, 5e4, rng.exponential(0.2)) for _ in range(200)]

    assert len(distinct_levels(levels)) == 1


def test_a_continuum_of_intensities_is_not_forced_into_two() -> None:
    rng = np.random.default_rng(4)
    levels = [measured(rng, rng.uniform(1e4, 8e4), rng.exponential(0.2)) for _ in range(200)]

    assert len(distinct_levels(levels)) >= 5


def test_a_level_still_going_on_is_not_counted() -> None:
    going_on = Level(0.0, 1.0, Estimate(1e4, 100.0), Estimate(None), provisional=True)

    assert distinct_levels([going_on]) == ()
    assert distinct_levels([]) == ()


def test_drift_of_the_light_by_a_few_percent_is_one_level() -> None:
    rng = np.random.default_rng(5)
    levels = [measured(rng, 5e4 * (1 + 0.03 * rng.standard_normal()), 2.0) for _ in range(60)]

    (state,) = distinct_levels(levels)

    assert state.intensity_cps.value == pytest.approx(5e4, rel=0.02)
