"""Lifetimes of few photons against the Cramér-Rao bound, computed here from the density itself."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.calibration.timing import GATE_NS, MicroBins
from qdmon.analysis.decays.lifetime import LifetimeFit, lifetime_mle

TAU = 24.7


def sd_bound(tau_ns: float, period_ns: float, background: float, gate_ns: float = 0.0) -> float:
    """Smallest relative standard deviation times the root of the photons of a period.

    From the density itself, not binned, on [gate, period) with a known share of background; the number of
    photons says nothing of the lifetime.
    """
    t = gate_ns + (np.arange(200_000) + 0.5) * (period_ns - gate_ns) / 200_000

    def seen(tau: float) -> NDArray[np.float64]:
        shape = np.exp(-t / tau) / (tau * -np.expm1(-period_ns / tau))
        return np.asarray((1 - background) * shape)

    h = 1e-4 * tau_ns
    density = seen(tau_ns) + background / period_ns
    slopes = np.stack([(seen(tau_ns + h) - seen(tau_ns - h)) / (2 * h), seen(tau_ns)])
    information = (slopes / density) @ slopes.T * (t[1] - t[0])
    return float(np.sqrt(np.linalg.inv(information)[0, 0])) / tau_ns


def sampled(
    rng: np.random.Generator,
    photons: int,
    tau_ns: float,
    bins: MicroBins,
    background: float = 0.01,
    late: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Histogram of so many photons drawn one by one, and the expected background in it."""
    uniform = rng.random(photons) < background + (1 - background) * late
    t = np.where(
        uniform, rng.uniform(0, bins.period_ns, photons), rng.exponential(tau_ns, photons) % bins.period_ns
    )
    histogram, _ = np.histogram(t, bins.edges_ns)
    return histogram.astype(np.float64), background * photons * bins.uniform_share


def fits_of(
    seed: int, trials: int, photons: int, tau_ns: float, period_ns: float, background: float
) -> list[LifetimeFit]:
    rng = np.random.default_rng(seed)
    bins = MicroBins.for_period(period_ns)
    fits = [lifetime_mle(*sampled(rng, photons, tau_ns, bins, background), bins) for _ in range(trials)]
    return [fit for fit in fits if fit is not None]


def robust_sd(values: NDArray[np.float64]) -> float:
    return float(np.subtract(*np.percentile(values, [75, 25]))) / 1.349


def test_the_bound_used_here_is_the_published_one() -> None:
    assert sd_bound(25.0, 200.0, 0.01) == pytest.approx(1.061, abs=0.002)


@pytest.mark.parametrize("background", [0.01, 0.05])
@pytest.mark.parametrize("period_ns", [200.0, 100.0])
@pytest.mark.parametrize("photons", [50, 280, 760])
def test_from_50_photons_up_a_lifetime_is_unbiased_and_as_sharp_as_photons_allow(
    photons: int, period_ns: float, background: float
) -> None:
    fits = fits_of(photons + int(period_ns), 1200, photons, TAU, period_ns, background)
    tau, error = np.array([(f.tau_ns, f.error_ns) for f in fits]).T
    bound = sd_bound(TAU, period_ns, background, GATE_NS) / np.sqrt(photons)
    assert tau.std() / TAU <= 1.1 * bound
    assert float(tau.mean()) == pytest.approx(TAU, abs=0.01 * TAU + 2 * tau.std() / np.sqrt(len(tau)))
    covered = float(np.mean(np.abs(tau - TAU) < error))
    chance = 2 * np.sqrt(0.68 * 0.32 / len(tau))
    assert 0.63 - chance <= covered <= 0.73 + chance


@pytest.mark.parametrize(("period_ns", "most"), [(200.0, 1.05), (100.0, 1.06)])
def test_gate_and_coarse_bins_cost_hardly_any_precision(period_ns: float, most: float) -> None:
    ungated = sd_bound(TAU, period_ns, 0.01)
    assert sd_bound(TAU, period_ns, 0.01, GATE_NS) <= most * ungated
    bins = MicroBins.for_period(period_ns)
    tau = TAU * np.exp([-0.001, 0.0, 0.001])
    seen = 0.99 * bins.share_of(tau)[:, 1:]
    slopes = np.stack([(seen[2] - seen[0]) / 0.002, seen[1]])
    information = slopes / (seen[1] + 0.01 * bins.uniform_share[1:]) @ slopes.T
    assert float(np.sqrt(np.linalg.inv(information)[0, 0])) <= most * ungated


@pytest.mark.parametrize("background", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("tau_ns", [5.0, TAU])
def test_known_background_costs_precision_but_not_truth(tau_ns: float, background: float) -> None:
    photons = 2000
    tau = np.array([fit.tau_ns for fit in fits_of(7, 600, photons, tau_ns, 200.0, background)])
    assert float(np.median(tau)) == pytest.approx(tau_ns, rel=0.01)
    assert robust_sd(tau) / tau_ns * np.sqrt(photons) <= 1.1 * sd_bound(tau_ns, 200.0, background, GATE_NS)


def test_the_stated_error_is_the_real_scatter() -> None:
    rng = np.random.default_rng(3)
    bins = MicroBins.for_period(200.0)
    fits = [lifetime_mle(*sampled(rng, 500, TAU, bins), bins) for _ in range(600)]
    pulls = np.array([(f.tau_ns - TAU) / f.error_ns for f in fits if f is not None])
    assert robust_sd(pulls) == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("photons", [0, 5])
def test_too_few_photons_give_no_lifetime(photons: int) -> None:
    bins = MicroBins.for_period(200.0)
    histogram, _ = sampled(np.random.default_rng(0), photons, TAU, bins)
    assert lifetime_mle(histogram, np.zeros(bins.count), bins) is None


def test_nothing_but_background_gives_no_lifetime() -> None:
    bins = MicroBins.for_period(200.0)
    background = 400 * bins.uniform_share
    assert lifetime_mle(background, background, bins) is None


@pytest.mark.parametrize("photons", [300, 10_000])
def test_light_that_does_not_decay_is_given_no_lifetime(photons: int) -> None:
    rng = np.random.default_rng(13)
    bins = MicroBins.for_period(13.17)
    found = []
    for _ in range(100):
        histogram, _ = np.histogram(rng.uniform(0, 13.17, photons), bins.edges_ns)
        found.append(lifetime_mle(histogram.astype(np.float64), np.zeros(bins.count), bins))
    # By chance a few photons fall a little at the end of a window of so few lifetimes; many do not.
    assert sum(fit is None for fit in found) >= (75 if photons < 1000 else 99)
