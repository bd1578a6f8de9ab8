"""Likelihoods of bins against Poisson's formula, and of bins that no state explains."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import poisson

from qdmon.analysis.dot.likelihood import bin_likelihoods
from qdmon.analysis.dot.states import KIND
from tests.qdmon.analysis.dot.paths import BRIGHT, PAPERS_DOT, TRAPS, TRION, drawn, path_of


def test_likelihoods_are_poissons_up_to_a_constant_of_each_bin() -> None:
    data = drawn(np.random.default_rng(7), path_of((BRIGHT, 3), (TRION, 3), (int(TRAPS[3]), 3)))
    states = np.arange(len(KIND)) < TRION
    expected = data.expected(PAPERS_DOT)[states]
    found = bin_likelihoods(data, PAPERS_DOT, states)
    assert np.all(found.scaled.max(axis=1) == 1)
    assert np.all(found.trust == 1)
    exact = poisson.logpmf(data.fitted[:, None, :], expected[None, :, 1:]).sum(axis=2)
    exact -= exact.max(axis=1, keepdims=True)
    np.testing.assert_allclose(np.log(found.scaled), np.maximum(exact, -40.0), atol=2e-3)
    constant = poisson.logpmf(data.fitted, data.fitted) - data.fitted * np.log(np.maximum(data.fitted, 1))
    best = poisson.logpmf(data.fitted[:, None, :], expected[None, :, 1:]).sum(axis=2).max(axis=1)
    assert found.log_scale == pytest.approx(
        float((best - (constant + data.fitted).sum(axis=1)).sum()), abs=0.1
    )


@pytest.mark.parametrize("photons", [0.0, 1e3, 1e6])
def test_what_no_state_explains_counts_for_so_much_and_no_more(photons: float) -> None:
    data = drawn(np.random.default_rng(7), path_of((BRIGHT, 3)))
    odd = data.counts.copy()
    odd[1] = photons
    states = np.isin(np.arange(len(KIND)), [BRIGHT, TRION])
    found = bin_likelihoods(replace(data, counts=odd), PAPERS_DOT, states)
    assert found.trust[[0, 2]].tolist() == [1.0, 1.0]
    assert found.trust[1] < 0.5
    mu = data.expected(PAPERS_DOT)[BRIGHT, 1:]
    counts = data.fitted[[0, 2]]
    plain = float((counts * np.log(mu) - mu).sum())
    best = replace(data, counts=odd).best_log_likelihood[1]
    assert found.log_scale == pytest.approx(plain + best - 40.0, abs=0.05 + 1e-6 * abs(best))


def test_of_light_that_drifts_each_bin_is_held_against_its_own_part() -> None:
    """But the background does not go with it."""
    data = drawn(np.random.default_rng(7), path_of((BRIGHT, 40), (TRION, 40)))
    gain = np.repeat([0.8, 1.0, 1.3, 0.8], 20)
    states = np.isin(np.arange(len(KIND)), [BRIGHT, TRION])
    found = bin_likelihoods(replace(data, gain=gain), PAPERS_DOT, states)
    for first in range(0, 80, 20):
        part = replace(data, counts=data.counts[first : first + 20])
        dimmer = replace(PAPERS_DOT, bright_cps=PAPERS_DOT.bright_cps * gain[first])
        alone = bin_likelihoods(part, dimmer, states)
        np.testing.assert_allclose(found.scaled[first : first + 20], alone.scaled, rtol=1e-4)
