"""Information that is missing because nobody saw the states: exact where bins are independent."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp

from qdmon.analysis.dot.missing import missing_information, with_unknown_odds, without

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


def share_of_one_kind(log_ratio: np.ndarray, odds: float) -> tuple[float, float, np.ndarray]:
    """Mean and variance of the number of dwells of one kind at these odds, and the chance of each dwell."""
    chance = expit(log_ratio + odds)
    return float(chance.sum()), float((chance * (1 - chance)).sum()), chance


@pytest.mark.parametrize("apart", [0.7, 1.5, 4.0, 20.0])
def test_of_doubtful_dwells_nobody_knows_how_many_are_of_one_kind(apart: float) -> None:
    """The number itself, averaged over all odds, against its variance at the likeliest."""
    rng = np.random.default_rng(3)
    grid = np.linspace(-8.0, 8.0, 801)
    ratios = []
    for _ in range(40):
        kind = rng.random(80) < 0.3
        log_ratio = np.where(kind, apart, -apart) + rng.normal(0.0, np.sqrt(2 * apart), 80)
        likelihood = np.logaddexp(0.0, log_ratio[:, None] + grid).sum(axis=0) - 80 * np.logaddexp(0.0, grid)
        weight = np.exp(likelihood - likelihood.max() - grid**2 / 8.0)
        weight /= weight.sum()
        means, variances = np.array([share_of_one_kind(log_ratio, odds)[:2] for odds in grid]).T
        exact = weight @ variances + weight @ np.square(means) - (weight @ means) ** 2
        mean, variance, chance = share_of_one_kind(log_ratio, float(grid[np.argmax(weight)]))
        ratios.append(with_unknown_odds(variance, chance - mean / 80, 80.0) / exact)
    assert np.median(ratios) == pytest.approx(1.0, abs=0.25)
