"""How many intensities a dot has: as many as its photons show, not two by decree."""

import numpy as np
import pytest

from qdmon.analysis.levels.groups import distinct_levels
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.intensity import Level
from tests.qdmon.analysis.builders import auger_dot
from tests.qdmon.analysis.levels.test_levels import sorted_dot


def measured(rng: np.random.Generator, rate_cps: float, seconds: float) -> Level:
    n = int(rng.poisson(rate_cps * seconds))
    rate = Estimate(n / seconds, float(np.sqrt(max(n, 1))) / seconds)
    return Level(0.0, seconds, rate, Estimate(None), provisional=False)


def test_two_levels_of_the_papers_dot_are_two() -> None:
    rng = np.random.default_rng(3)

    dwells = auger_dot(rng, 25.0)
    _, _, levels = sorted_dot(dwells, rng)
    bright, dim = distinct_levels(levels)

    assert bright.intensity_cps.value == pytest.approx(76e3, rel=0.02)
    assert dim.intensity_cps.value == pytest.approx(28e3, rel=0.02)
    assert bright.lifetime_ns.value == pytest.approx(24.7, rel=0.02)
    assert dim.lifetime_ns.value == pytest.approx(5.0, rel=0.03)
    dark_s = sum(d.duration_s for d in dwells if d.charged)
    assert dim.occupancy == pytest.approx(dark_s / sum(d.duration_s for d in dwells), abs=0.02)
    assert (bright.occupancy or 0.0) + (dim.occupancy or 0.0) == pytest.approx(1.0)


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


def test_the_lifetime_of_an_intensity_is_not_that_of_its_shortest_lived_level() -> None:
    def seen(lifetime_ns: float, seconds: float) -> Level:
        rate = Estimate(2e3, np.sqrt(2e3 / seconds))
        return Level(0.0, seconds, rate, Estimate(lifetime_ns, 0.1 * lifetime_ns), provisional=False)

    (state,) = distinct_levels([*(seen(2.0, 0.1) for _ in range(10)), seen(0.1, 0.1)])

    assert state.lifetime_ns.value == pytest.approx(2.0, rel=0.1)
    assert state.lifetime_ns.error is not None
    assert state.lifetime_ns.error > 0.1


def test_the_lifetime_of_an_intensity_has_the_error_it_says() -> None:
    rng = np.random.default_rng(6)
    pulls = []
    for _ in range(200):
        levels = []
        for _ in range(15):
            n = int(rng.poisson(2e4 * rng.uniform(0.02, 0.2)))
            tau = 20.0 * (1 + rng.standard_normal() / np.sqrt(n))
            rate = Estimate(2e4, 2e4 / np.sqrt(n))
            levels.append(Level(0.0, 0.1, rate, Estimate(tau, tau / np.sqrt(n)), provisional=False))
        (state,) = distinct_levels(levels)
        assert state.lifetime_ns.value is not None
        assert state.lifetime_ns.error is not None
        pulls.append((state.lifetime_ns.value - 20.0) / state.lifetime_ns.error)
    assert abs(float(np.mean(pulls))) < 0.2
    assert 0.8 < float(np.std(pulls)) < 1.1
