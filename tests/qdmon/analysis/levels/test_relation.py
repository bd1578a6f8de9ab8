"""Whether intensity and lifetime of levels move together, on levels of textbook dots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.levels.relation import intensity_lifetime_correlation
from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.results.intensity import Level
from tests.qdmon.analysis import builders as b


def level(rate_cps: float, tau_ns: float, *, error: float = 0.01, provisional: bool = False) -> Level:
    return Level(
        0.0, 1.0, Estimate(rate_cps, error * rate_cps), Estimate(tau_ns, error * tau_ns), provisional
    )


@pytest.mark.parametrize("kind", ["auger", "bc", "mixed"])
def test_intensity_and_lifetime_fall_together_where_light_is_quenched(kind: str) -> None:
    found = intensity_lifetime_correlation(b.watched_dot(kind, 10.0).segment.levels)
    assert found.value is not None
    assert found.value > 0.9


def test_they_do_not_where_the_lifetime_stays() -> None:
    found = intensity_lifetime_correlation(b.watched_dot("hc").segment.levels)
    assert found.value is not None
    assert found.error is not None
    assert abs(found.value) < 3 * found.error + 0.05


def test_the_error_is_the_scatter_of_the_coefficient() -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(300):
        x, y = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 40).T
        levels = [level(5e4 * np.exp(i), 20 * np.exp(j)) for i, j in zip(x, y, strict=True)]
        found.append(intensity_lifetime_correlation(levels))
    values = np.array([f.value for f in found], np.float64)
    errors = np.array([f.error for f in found], np.float64)
    assert float(values.mean()) == pytest.approx(0.6, abs=0.03)
    assert float(values.std()) == pytest.approx(float(errors.mean()), rel=0.2)


@given(
    st.lists(st.tuples(st.floats(1e3, 1e6), st.floats(0.5, 50)), min_size=5, max_size=40),
    st.floats(0.1, 10),
)
def test_the_coefficient_is_one_and_has_no_unit(points: list[tuple[float, float]], unit: float) -> None:
    plain = intensity_lifetime_correlation([level(i, tau) for i, tau in points]).value
    scaled = intensity_lifetime_correlation([level(i, unit * tau) for i, tau in points]).value
    assert (plain is None) is (scaled is None) or abs(plain or scaled or 0.0) <= 1
    if plain is not None and scaled is not None:
        assert -1 <= plain <= 1
        assert scaled == pytest.approx(plain, abs=1e-6)


def test_few_levels_and_levels_without_a_lifetime_say_nothing() -> None:
    assert intensity_lifetime_correlation([level(5e4, 20.0), level(2e4, 8.0)]).value is None
    blind = [Level(0.0, 1.0, Estimate(5e4, 1e3), Estimate(None), provisional=False)] * 20
    assert intensity_lifetime_correlation(blind).value is None
    going_on = [level(i, i / 1e3, provisional=True) for i in np.linspace(1e4, 5e4, 20).tolist()]
    assert intensity_lifetime_correlation(going_on).value is None
    assert intensity_lifetime_correlation([level(5e4, 20.0)] * 20).value is None
