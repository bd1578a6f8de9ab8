"""Poisson chances of one and of two excitations."""

import numpy as np
import pytest

from qdmon.analysis.switching.excitation import brightness_ratio, excited, excited_twice


def test_chances_are_those_of_a_poisson_number() -> None:
    n = np.array([0.03, 0.3, 1.4])

    np.testing.assert_allclose(excited(n), 1 - np.exp(-n))
    np.testing.assert_allclose(excited_twice(n), 1 - np.exp(-n) * (1 + n), rtol=1e-9)


def test_two_excitations_at_a_very_low_mean_are_half_its_square() -> None:
    assert float(excited_twice(1e-7)) == pytest.approx(0.5e-14, rel=1e-6)


def test_light_grows_with_the_chance_to_absorb() -> None:
    assert brightness_ratio(1.4, 0.2) == pytest.approx((1 - np.exp(-1.4)) / (1 - np.exp(-0.2)))
    assert brightness_ratio(None, 0.2) == 1.0
    assert brightness_ratio(0.2, None) == 1.0
