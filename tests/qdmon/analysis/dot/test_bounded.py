"""Parameters that cannot be negative, and are mostly nothing: what to expect of them and of the rest."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.dot.bounded import NOTHING, Expectation, expected_within

FloatArray = NDArray[np.float64]
# One lifetime and one delayed share that goes with it.
LIFE, LATE = 0, 1
TOGETHER = np.array([[1e-6, 0.8e-6], [0.8e-6, 1e-6]])


def expected(late: float, scale: float = np.nan, covariance: FloatArray = TOGETHER) -> Expectation:
    """With the late share found at a value; its wall at zero."""
    at, mode = np.array([0.0, max(late, 0.0)]), np.array([0.0, late])
    return expected_within(at, mode, covariance, slice(LATE, LATE + 1), np.array([np.nan, scale]))


def test_far_from_the_wall_nothing_changes() -> None:
    found = expected(0.01)
    assert found.mean == pytest.approx([0.0, 0.01], abs=1e-9)
    assert found.covariance == pytest.approx(TOGETHER, rel=1e-6)


def test_at_the_wall_it_is_half_a_normal() -> None:
    found = expected(0.0)
    sd = 1e-3
    assert found.mean[LATE] == pytest.approx(sd * np.sqrt(2 / np.pi))
    assert found.covariance[LATE, LATE] == pytest.approx(sd**2 * (1 - 2 / np.pi))


@pytest.mark.parametrize("z", [-3.0, -1.0, 0.0, 1.0, 2.5])
def test_moments_are_those_of_a_truncated_normal_with_a_spike(z: float) -> None:
    """Against sums over the two densities themselves."""
    sd, scale = 1e-3, 0.02
    found = expected(z * sd, scale)
    x = np.linspace(0.0, 10 * sd, 400_001)
    likelihood = np.exp(-0.5 * np.square((x - z * sd) / sd))
    slab = likelihood * np.sqrt(2 / np.pi) / scale  # a half normal this wide is flat here
    step = x[1]
    spike = NOTHING * likelihood[0]
    rest = (1 - NOTHING) * slab * step
    total = spike + rest.sum()
    mean = float((rest * x).sum() / total)
    variance = float((rest * x**2).sum() / total) - mean**2
    assert found.mean[LATE] == pytest.approx(mean, rel=2e-3)
    assert found.covariance[LATE, LATE] == pytest.approx(variance, rel=5e-3)


def test_what_leans_on_it_moves_along_and_errs_less() -> None:
    found = expected(0.001, 0.02)
    # Most of a small share is noise: what it took from the lifetime is given back.
    assert found.mean[LATE] < 0.5e-3
    assert found.mean[LIFE] == pytest.approx(0.8 * (found.mean[LATE] - 0.001))
    assert found.covariance[LIFE, LIFE] < TOGETHER[LIFE, LIFE]
    assert np.linalg.eigvalsh(found.covariance).min() > 0


def test_a_share_that_is_clearly_there_is_believed() -> None:
    found = expected(0.008, 0.02)
    assert found.mean[LATE] == pytest.approx(0.008, rel=1e-3)


def test_the_arguments_are_left_alone() -> None:
    at, mode, covariance = np.zeros(2), np.zeros(2), TOGETHER.copy()
    expected_within(at, mode, covariance, slice(1, 2), np.full(2, 0.02))
    assert not at.any()
    assert not mode.any()
    assert np.array_equal(covariance, TOGETHER)
