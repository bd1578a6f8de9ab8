"""Information that is missing because nobody saw the states: exact where bins are independent."""

import numpy as np
import pytest
from scipy.special import logsumexp

from qdmon.analysis.dot.missing import missing_information, without

WEIGHTS = np.array([0.6, 0.4])


def log_likelihood(counts: np.ndarray, expected: np.ndarray, theta: float) -> float:
    """Of bins that are each of one of two states; theta is the logarithm of the light of both."""
    mu = expected * np.exp(theta)
    parts = counts @ np.log(mu).T - mu.sum(axis=1)
    return float(logsumexp(parts + np.log(WEIGHTS), axis=1).sum())


@pytest.mark.parametrize("apart", [1.05, 1.5, 4.0])
def test_what_is_left_is_the_information_of_the_photons_themselves(apart: float) -> None:
    rng = np.random.default_rng(1)
    expected = np.array([[20.0, 10.0], [20.0 / apart, 10.0 / apart]])
    counts = rng.poisson(expected[rng.choice(2, 4000, p=WEIGHTS)]).astype(np.float64)
    log_l = counts @ np.log(expected).T - expected.sum(axis=1) + np.log(WEIGHTS)
    posterior = np.exp(log_l - logsumexp(log_l, axis=1)[:, None])
    # The light of both goes with theta.
    complete = float((posterior @ expected.sum(axis=1)).sum())
    missing = missing_information(
        posterior.astype(np.float32), counts.astype(np.float32), expected, np.ones((1, 2, 2))
    )[0, 0]
    step = 1e-3
    low, middle, high = (log_likelihood(counts, expected, t) for t in (-step, 0.0, step))
    seen = -(low - 2 * middle + high) / step**2
    assert complete - missing == pytest.approx(seen, rel=0.02)
    assert missing > 0


def test_nothing_is_missing_where_every_state_was_seen() -> None:
    posterior = np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]
    counts = np.full((4, 3), 5.0, np.float32)
    found = missing_information(posterior, counts, np.full((2, 3), 4.0), np.ones((2, 2, 3)))
    assert not found.any()


def test_without_anything_missing_the_covariance_is_the_inverse() -> None:
    information = np.array([[4.0, 1.0], [1.0, 3.0]])
    assert without(information, np.zeros((2, 2))) == pytest.approx(np.linalg.inv(information))


def test_more_missing_than_there_is_leaves_a_large_error_and_no_nonsense() -> None:
    information = np.diag([4.0, 9.0])
    found = without(information, np.diag([10.0, 0.0]))
    assert found[0, 0] == pytest.approx(1 / (0.05 * 4.0))
    assert found[1, 1] == pytest.approx(1 / 9.0)
