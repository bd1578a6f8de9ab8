"""Exponentials seen through a response, against photons drawn one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.decays.response import Response, gaussian_with_tail


def test_the_assumed_response_is_a_gaussian_with_a_slow_tail() -> None:
    rng = np.random.default_rng(1)
    n = 400_000
    drawn = rng.normal(0, 0.36 / 2.3548, n) + np.where(rng.random(n) < 0.05, rng.exponential(0.5, n), 0.0)
    edges = np.linspace(-0.6, 3.0, 40)
    expected = np.diff(gaussian_with_tail(0.36).prompt(edges))
    counts, _ = np.histogram(drawn, edges)
    assert counts / n == pytest.approx(expected, abs=2.5e-3)
    assert gaussian_with_tail(0.36).unsure_ns == pytest.approx(0.36, rel=0.1)


@pytest.mark.parametrize("tau_ns", [0.1, 0.6, 5.0, 24.7, 90.0])
def test_a_decay_seen_through_a_response_and_folded_is_what_photons_give(tau_ns: float) -> None:
    rng = np.random.default_rng(2)
    n, period_ns = 400_000, 100.0
    response = Response.from_counts(np.array([-0.4, 0.0, 0.3, 1.0]), np.array([1.0, 2.0, 1.0]))
    cell = rng.choice(3, n, p=[0.25, 0.5, 0.25])
    low, high = response.edges_ns[:-1][cell], response.edges_ns[1:][cell]
    t = rng.uniform(low, high) + rng.exponential(tau_ns, n)
    edges = np.concatenate([np.linspace(-1.5, 3, 30), np.geomspace(3.2, 98.5, 30)])
    counts, _ = np.histogram((t + 1.5) % period_ns - 1.5, edges)
    expected = n * np.diff(response.decayed(edges, tau_ns, period_ns))
    deviation = (counts - expected) / np.sqrt(np.maximum(expected, 1.0))
    assert np.abs(deviation).max() < 4.5
    assert float(np.mean(deviation**2)) < 1.5


@given(
    fwhm_ns=st.floats(0.03, 1.0),
    tau_ns=st.floats(0.05, 400.0),
    period_ns=st.floats(12.0, 1000.0),
)
def test_every_photon_arrives_within_a_period_and_none_arrives_before_it_was_sent(
    fwhm_ns: float, tau_ns: float, period_ns: float
) -> None:
    edges = np.linspace(-1.5, period_ns - 1.5, 400)
    shares = np.diff(gaussian_with_tail(fwhm_ns).decayed(edges, tau_ns, period_ns))
    assert shares.min() > -1e-9
    assert float(shares.sum()) == pytest.approx(1.0, abs=1e-9)


def test_a_measured_response_is_no_guess() -> None:
    response = Response.from_counts(np.array([0.0, 0.1, 0.3]), np.array([30.0, 10.0]))
    assert response.density == pytest.approx([7.5, 1.25])
    assert response.unsure_ns == 0.0
    assert response.prompt(np.array([-1.0, 0.1, 0.2, 9.0])) == pytest.approx([0.0, 0.75, 0.875, 1.0])
