"""Golden rows 16 and 17: lifetimes at the paper's pulse rates, and the mean arrival time in a window."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.sim.presets import PRESETS
from qdmon.analysis.calibration.timing import MicroBins
from qdmon.analysis.decays.lifetime import lifetime_mle
from qdmon.analysis.equations import lifetime_from_window_mean, window_mean_ns

TAU_NS = 24.7


def arrivals(seed: int, photons: int, period_ns: float) -> NDArray[np.float64]:
    """Arrival times after the pulse, late ones in the next period."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.exponential(TAU_NS, photons) % period_ns)


def test_row_16_dots_are_simulated_at_5_and_10_mhz_with_pulses_of_50_to_100_ps() -> None:
    setups = [preset.setup for preset in PRESETS.values()]
    assert {setup.period_ns for setup in setups} == {200.0, 100.0}
    assert all(0.05 <= setup.laser_fwhm_ns <= 0.1 for setup in setups)


@pytest.mark.parametrize("photons", [50, 280, 760, 20_000])
@pytest.mark.parametrize("period_ns", [200.0, 100.0])
def test_row_16_the_estimator_is_unbiased_to_1_percent_at_24_7_ns(period_ns: float, photons: int) -> None:
    bins = MicroBins.for_period(period_ns)
    nothing = np.zeros(bins.count)
    fits = []
    for seed in range(1200 if photons < 1000 else 40):
        histogram, _ = np.histogram(arrivals(seed, photons, period_ns), bins.edges_ns)
        fits.append(lifetime_mle(histogram.astype(np.float64), nothing, bins))
    tau = np.array([fit.tau_ns for fit in fits if fit is not None])
    assert len(tau) == len(fits)
    # Two standard errors of the test itself beside what the row allows.
    allowed = 0.01 * TAU_NS + 2 * float(tau.std()) / np.sqrt(len(tau))
    assert float(tau.mean()) == pytest.approx(TAU_NS, abs=allowed)


@pytest.mark.parametrize(("period_ns", "mean_ns"), [(200.0, 24.639), (100.0, 22.924), (50.0, 17.091)])
def test_row_17_the_window_mean_of_24_7_ns_and_its_inverse(period_ns: float, mean_ns: float) -> None:
    assert float(window_mean_ns(TAU_NS, period_ns)) == pytest.approx(mean_ns, abs=1e-3)
    back = float(lifetime_from_window_mean(window_mean_ns(TAU_NS, period_ns), period_ns))
    assert back == pytest.approx(TAU_NS, abs=1e-3)


@pytest.mark.parametrize("period_ns", [200.0, 100.0, 50.0])
def test_row_17_photons_folded_into_the_period_have_that_mean(period_ns: float) -> None:
    photons = arrivals(1, 1_000_000, period_ns)
    assert float(photons.mean()) == pytest.approx(float(window_mean_ns(TAU_NS, period_ns)), abs=0.06)
