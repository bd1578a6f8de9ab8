"""The sticky chain: exact posteriors, learning that climbs, states that hold nothing dropped."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from qdmon.analysis.dot.chain import Chain, Smoothed, learn, log_evidence

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
seeds = st.integers(0, 2**32 - 1)


def no_prior(states: int) -> tuple[FloatArray, FloatArray]:
    return np.zeros(states), np.zeros(states)


def problem(seed: int, bins: int, states: int) -> tuple[Float32Array, Chain]:
    """Random likelihoods, rows scaled to 1, and a random chain."""
    rng = np.random.default_rng(seed)
    likelihood = np.exp(-rng.exponential(2.0, (bins, states)))
    likelihood /= likelihood.max(axis=1, keepdims=True)
    chain = Chain(rng.dirichlet(np.ones(states)), rng.uniform(0.01, 0.9, states))
    return likelihood.astype(np.float32), chain


def smoothed(likelihood: Float32Array, chain: Chain, steps: int = 0) -> Smoothed:
    return learn(likelihood, 0.0, chain, no_prior(likelihood.shape[1]), steps)


def dense(likelihood: Float32Array, chain: Chain) -> tuple[FloatArray, float]:
    """Posterior and log-likelihood with the whole transition matrix, unscaled, in double precision."""
    n, k = likelihood.shape
    transition = np.diag(1 - chain.leaving) + np.outer(chain.leaving, chain.weights)
    ahead, behind = np.empty((n, k)), np.ones((n, k))
    ahead[0] = chain.weights * likelihood[0]
    for t in range(1, n):
        ahead[t] = (ahead[t - 1] @ transition) * likelihood[t]
    for t in range(n - 2, -1, -1):
        behind[t] = transition @ (likelihood[t + 1] * behind[t + 1])
    total = float(ahead[-1].sum())
    return ahead * behind / total, float(np.log(total))


@given(seeds, st.integers(1, 30), st.integers(1, 13))
@settings(deadline=None)
def test_the_posterior_is_that_of_the_whole_transition_matrix(seed: int, bins: int, states: int) -> None:
    likelihood, chain = problem(seed, bins, states)
    found = smoothed(likelihood, chain)
    posterior, log_likelihood = dense(likelihood, chain)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-6)
    assert found.log_likelihood == pytest.approx(log_likelihood, abs=1e-9)
    assert log_evidence(likelihood, chain.weights, chain.leaving) == found.log_likelihood


@given(seeds, st.integers(2, 30), st.integers(2, 9))
@settings(deadline=None)
def test_a_step_of_learning_counts_the_jumps_of_the_whole_transition_matrix(
    seed: int, bins: int, states: int
) -> None:
    likelihood, chain = problem(seed, bins, states)
    posterior, _ = dense(likelihood, chain)
    stays = np.zeros(states)
    for t in range(bins - 1):
        # The chain is cut between two bins, neither of which is left with a jump.
        split = [dense(part, chain) for part in (likelihood[: t + 1], likelihood[t + 1 :])]
        for j in range(states):
            before = split[0][0][-1, j] * np.exp(split[0][1])
            behind = split[1][0][0, j] * np.exp(split[1][1]) / chain.weights[j]
            stays[j] += (1 - chain.leaving[j]) * before * behind
    stays /= np.exp(dense(likelihood, chain)[1])
    into, out = posterior.sum(axis=0) - stays, posterior[:-1].sum(axis=0) - stays
    prior = np.full(states, 0.3), np.full(states, 0.7)

    found = learn(likelihood, 0.0, chain, prior, 1).chain

    np.testing.assert_allclose(found.weights, into / into.sum(), atol=1e-6)
    np.testing.assert_allclose(found.leaving, (out + 0.3) / (posterior[:-1].sum(axis=0) + 1), atol=1e-6)


def test_the_likelihood_of_very_many_unlikely_bins_does_not_vanish() -> None:
    bins = np.full((20_000, 1), np.exp(-30.0), np.float32)
    found = log_evidence(bins, np.ones(1), np.full(1, 0.5))
    assert found == pytest.approx(-30.0 * len(bins), rel=1e-7)


@given(seeds, st.integers(1, 100), st.integers(1, 6), st.integers(0, 3))
@settings(deadline=None)
def test_every_bin_is_in_some_state(seed: int, bins: int, states: int, steps: int) -> None:
    likelihood, chain = problem(seed, bins, states)
    found = smoothed(likelihood, chain, steps)
    assert np.all(found.posterior >= 0)
    np.testing.assert_allclose(found.posterior.sum(axis=1), 1.0, atol=1e-5)
    assert found.chain.weights.sum() == pytest.approx(1.0, abs=1e-5)
    assert np.all((found.chain.leaving > 0) & (found.chain.leaving < 1))


@given(seeds, st.integers(5, 60), st.integers(2, 4))
@settings(max_examples=50, deadline=None)
def test_learning_never_makes_the_data_less_likely(seed: int, bins: int, states: int) -> None:
    likelihood, chain = problem(seed, bins, states)
    found = [smoothed(likelihood, chain, steps) for steps in range(6)]
    # A state that is dropped may take a little with it.
    assume(found[-1].posterior.sum(axis=0).min() > 0.5)
    gain = np.diff([f.log_likelihood for f in found])
    assert np.all(gain > -1e-5)


def test_a_state_that_explains_nothing_is_dropped_and_costs_nothing() -> None:
    likelihood, chain = problem(3, 400, 3)
    with_idle = np.insert(likelihood, 1, np.float32(np.exp(-40.0)), axis=1)
    idle = Chain(np.insert(0.999999 * chain.weights, 1, 1e-6), np.insert(chain.leaving, 1, 0.5))
    found, without = smoothed(with_idle, idle, 3), smoothed(likelihood, chain, 3)
    assert np.all(found.posterior[:, 1] == 0)
    np.testing.assert_allclose(np.delete(found.posterior, 1, axis=1), without.posterior, atol=1e-3)
    assert found.log_likelihood == pytest.approx(without.log_likelihood, abs=1e-2)


def test_the_scale_of_the_likelihoods_is_given_back() -> None:
    likelihood, chain = problem(4, 50, 3)
    plain = smoothed(likelihood, chain)
    scaled = learn(likelihood, -123.0, chain, no_prior(3), 0)
    assert scaled.log_likelihood == pytest.approx(plain.log_likelihood - 123.0)


@pytest.mark.parametrize("contrast", [2.0, 5.0])
def test_the_dwell_times_of_a_telegraph_signal_are_learned(contrast: float) -> None:
    rng = np.random.default_rng(1)
    on, off = 50.0, 20.0
    dwells = np.stack([rng.geometric(1 / on, 800), rng.geometric(1 / off, 800)], axis=1).ravel()
    state = np.repeat(np.arange(len(dwells)) % 2, dwells)
    signal = rng.normal(contrast * state, 1.0)
    likelihood = np.exp(-0.5 * np.square(signal[:, None] - [0.0, contrast]))
    likelihood /= likelihood.max(axis=1, keepdims=True)
    start = Chain(np.array([0.5, 0.5]), np.array([0.2, 0.2]))
    chain = smoothed(likelihood.astype(np.float32), start, 60).chain
    # A jump may lead back to where it started.
    left = chain.leaving * (1 - chain.weights)
    realised = 1 / np.array([dwells[::2].mean(), dwells[1::2].mean()])
    np.testing.assert_allclose(left, realised, rtol=0.05)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_what_was_believed_of_the_dwells_before_counts_as_dwells_seen(seed: int) -> None:
    likelihood, chain = problem(seed, 20, 3)
    believed = np.full(3, 1e6), np.full(3, 9e6)
    found = learn(likelihood, 0.0, chain, believed, 4)
    kept = found.posterior.sum(axis=0) > 0
    np.testing.assert_allclose(found.chain.leaving[kept], 0.1, rtol=1e-3)


def test_a_chain_on_some_of_its_states_keeps_a_door_open_to_each() -> None:
    chain = Chain(np.array([0.5, 0.0, 0.3, 0.2]), np.array([0.1, 0.2, 0.3, 0.4]))
    found = chain.restricted(np.array([True, True, False, True]))
    assert found.weights.sum() == pytest.approx(1.0)
    assert np.all(found.weights > 0)
    assert found.weights[0] / found.weights[2] == pytest.approx(2.5)
    assert found.leaving.tolist() == [0.1, 0.2, 0.4]
