"""Known components come out of simulated decays, with honest errors and an honest goodness of fit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.decays.multiexponential import (
    MultiExponential,
    fit_exponentials,
    fit_number_of_exponentials,
)
from qdmon.analysis.decays.response import Response, gaussian_with_tail
from tests.qdmon.analysis.decays.simulated_decays import FWHM_NS, Draw, binned, exponentials, histograms

X, X_AND_TRION = exponentials((24.7, 1.0)), exponentials((24.7, 0.6), (5.0, 0.4))
X_AND_XX = exponentials((24.7, 0.94), (0.6, 0.06))
ALL_THREE = exponentials((24.7, 0.6), (5.0, 0.35), (0.6, 0.05))


def fitted(histogram: NDArray[np.int64], period_ns: float = 200.0) -> MultiExponential:
    fit = fit_number_of_exponentials(binned(histogram, period_ns), {}, period_ns)
    assert fit is not None
    return fit


def forced(histogram: NDArray[np.int64], number: int) -> MultiExponential:
    fit = fit_exponentials(binned(histogram), {}, 200.0, number)
    assert fit is not None
    return fit


def by_chance(fit: MultiExponential) -> bool:
    return fit.goodness is not None and fit.goodness.by_chance


@pytest.mark.parametrize("period_ns", [200.0, 100.0])
@pytest.mark.parametrize(
    ("draw", "lifetimes_ns", "photons"),
    [
        (X, [24.7], 20_000),
        (X_AND_XX, [24.7, 0.6], 100_000),
        (X_AND_TRION, [24.7, 5.0], 100_000),
        (ALL_THREE, [24.7, 5.0, 0.6], 300_000),
    ],
    ids=["X", "X and XX", "X and trion", "X, trion and XX"],
)
def test_the_components_are_found_without_bias_and_within_their_errors(
    draw: Draw, lifetimes_ns: list[float], photons: int, period_ns: float
) -> None:
    fits = [fitted(histograms(seed, photons, draw, period_ns), period_ns) for seed in range(6)]
    assert [len(f.lifetimes_ns) for f in fits] == [len(lifetimes_ns)] * len(fits)
    found = np.array([f.lifetimes_ns for f in fits])
    errors = np.array([np.sqrt(np.diag(f.covariance))[: len(lifetimes_ns)] for f in fits])
    pulls = (found - lifetimes_ns) / errors
    assert np.abs(pulls).max() < 4.0
    assert np.abs(pulls.mean(axis=0)).max() < 3.0 / np.sqrt(len(fits))
    assert 0.5 < float(np.sqrt(np.mean(pulls**2))) < 1.6
    assert sum(map(by_chance, fits)) >= len(fits) - 1


def test_the_shares_of_the_components_are_found() -> None:
    fit = fitted(histograms(1, 300_000, X_AND_TRION))
    share = fit.estimate(lambda _, photons: photons[0] / photons.sum())
    assert share.error is not None
    assert share.value == pytest.approx(0.6, abs=3 * share.error)
    assert share.error < 0.01


def test_each_detector_has_its_own_shift_scatter_and_background() -> None:
    fit = fitted(histograms(2, 400_000, X, background=0.05, scatter=0.02))
    # Time zero was given 40 ps early on the second detector.
    assert fit.detectors[0].shift_ns == pytest.approx(0.0, abs=0.01)
    assert fit.detectors[1].shift_ns == pytest.approx(0.04, abs=0.01)
    for detector in fit.detectors.values():
        assert detector.background_per_ns == pytest.approx(0.05 * 200_000 / 200.0, rel=0.03)
        assert detector.scatter == pytest.approx(0.95 * 0.02 * 200_000, rel=0.1)


def test_the_width_of_an_assumed_response_is_found() -> None:
    fit = fitted(histograms(3, 200_000, X))
    assert fit.detectors[0].response.unsure_ns == pytest.approx(FWHM_NS, abs=0.06)


def test_a_measured_response_of_any_shape_is_used_as_it_is() -> None:
    rng = np.random.default_rng(4)
    # Two flashes: no Gaussian.
    flashes = rng.choice([-0.4, 0.4], 200_000)
    t = rng.choice([24.7, 1.0], 200_000, p=[0.8, 0.2])
    arrival = 4.0 + flashes + rng.uniform(-0.1, 0.1, len(t)) + rng.exponential(t)
    histogram, _ = np.histogram(arrival % 200.0, np.arange(3126) * 0.064)
    shape = Response.from_counts(np.array([-0.5, -0.3, 0.3, 0.5]), np.array([1.0, 0.0, 1.0]))
    bins = binned(histogram[None])
    measured = fit_number_of_exponentials(bins, {0: shape}, 200.0)
    assumed = fit_number_of_exponentials(bins, {}, 200.0)
    assert measured is not None
    assert assumed is not None
    assert measured.lifetimes_ns == pytest.approx([24.7, 1.0], rel=0.03)
    assert by_chance(measured)
    assert not by_chance(assumed)


@pytest.mark.parametrize("photons", [100_000, 1_000_000])
def test_a_stretched_decay_is_no_single_exponential_and_says_so(photons: int) -> None:
    def stretched(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        # exp(-(t/12)^0.7): survival of a Weibull law.
        return np.asarray(12.0 * rng.weibull(0.7, n))

    histogram = histograms(5, photons, stretched)
    one = forced(histogram, 1)
    assert one.goodness is not None
    assert one.goodness.chi2_reduced > 3
    assert one.goodness.durbin_watson < 1.0
    assert not by_chance(one)
    assert len(fitted(histogram).lifetimes_ns) > 1


def test_one_exponential_is_not_made_two_by_chance() -> None:
    numbers = [len(fitted(histograms(seed, 30_000, X)).lifetimes_ns) for seed in range(20, 40)]
    assert numbers.count(1) >= 19


def test_the_curve_has_as_many_photons_as_the_data() -> None:
    histogram = histograms(6, 200_000, X_AND_XX)
    bins = binned(histogram)
    fit = fitted(histogram)
    for channel, own in bins.items():
        expected = fit.expected(channel, own.edges_ns[:-1], own.edges_ns[1:]) * own.live
        assert expected.sum() == pytest.approx(own.counts.sum(), rel=1e-3)


def test_a_handful_of_photons_is_not_fitted() -> None:
    assert fit_number_of_exponentials(binned(histograms(7, 600, X)), {}, 200.0) is None
    assert fit_number_of_exponentials({}, {}, 200.0) is None


def test_light_without_a_decay_gives_no_second_component_and_no_error() -> None:
    rng = np.random.default_rng(8)
    fit = fit_number_of_exponentials(binned(rng.poisson(5.0, (2, 3125))), {}, 200.0)
    assert fit is not None
    assert len(fit.lifetimes_ns) == 1
    assert np.isfinite(fit.deviance)


def test_the_assumed_width_may_be_far_off() -> None:
    rng = np.random.default_rng(9)
    for fwhm_ns in (0.08, 1.0):
        arrival = 4.0 + rng.exponential(10.0, 100_000) + rng.normal(0, fwhm_ns / 2.3548, 100_000)
        histogram, _ = np.histogram(arrival % 200.0, np.arange(3126) * 0.064)
        fit = fitted(histogram[None])
        assert fit.lifetimes_ns[0] == pytest.approx(10.0, rel=0.02)
        begins_ns = gaussian_with_tail(fwhm_ns).edges_ns[0]
        # No width is known better than the TCSPC bins of 0.064 ns.
        assert fit.detectors[0].response.edges_ns[0] == pytest.approx(begins_ns, rel=0.4, abs=0.08)
