"""Tests of residuals, on noise and on waves."""

import numpy as np
import pytest

from qdmon.analysis.decays.residuals import goodness_of


def test_mere_noise_passes_as_often_as_it_should() -> None:
    rng = np.random.default_rng(1)
    found = [goodness_of([rng.standard_normal(90), rng.standard_normal(110)], 0) for _ in range(1500)]
    for p in zip(*((g.chi2_p, g.order_p) for g in found if g is not None), strict=True):
        assert float(np.mean(np.array(p) < 0.05)) == pytest.approx(0.05, abs=0.02)
    watson = [g.durbin_watson for g in found if g is not None]
    assert float(np.mean(watson)) == pytest.approx(2.0, abs=0.02)


def test_a_wave_hidden_by_a_good_chi_squared_shows_in_the_order() -> None:
    rng = np.random.default_rng(2)
    wave = np.sin(np.linspace(0, 25, 200)) + 0.7 * rng.standard_normal(200)
    found = goodness_of([wave], 0)
    assert found is not None
    assert found.chi2_reduced == pytest.approx(1.0, abs=0.15)
    assert found.chi2_p > 0.01
    assert found.durbin_watson < 1.3
    assert found.order_p < 1e-3
    assert not found.by_chance


def test_too_large_residuals_are_not_chance_even_in_good_order() -> None:
    found = goodness_of([2.0 * np.random.default_rng(3).standard_normal(150)], 5)
    assert found is not None
    assert found.chi2_p < 1e-6
    assert found.order_p > 1e-3
    assert not found.by_chance


def test_without_a_degree_of_freedom_there_is_no_goodness() -> None:
    assert goodness_of([np.ones(4)], 4) is None
