"""The memory of light: telegraph light forgets itself at the sum of its two rates, steady light has none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.switching.correlation import long_time_correlation
from tests.qdmon.analysis.levels.test_levels import ROW_S

ON_CPS, OFF_CPS = 7.6e4, 2.8e4
TO_ON_HZ, TO_OFF_HZ = 8.0, 5.0


def telegraph(rng: np.random.Generator, bins: int, background_cps: float = 0.0) -> NDArray[np.float64]:
    """Counts per millisecond of light that switches at random, from its stationary state on."""
    on = bool(rng.random() < TO_ON_HZ / (TO_ON_HZ + TO_OFF_HZ))
    rate_hz = np.array([TO_OFF_HZ, TO_ON_HZ] if on else [TO_ON_HZ, TO_OFF_HZ])
    level_cps = np.array([ON_CPS, OFF_CPS] if on else [OFF_CPS, ON_CPS])
    count = int(4 * bins * ROW_S * max(TO_ON_HZ, TO_OFF_HZ)) + 100
    turn = np.arange(count) % 2
    edges = np.concatenate([[0.0], np.cumsum(rng.exponential(1 / rate_hz[turn]))])
    photons_until = np.concatenate([[0.0], np.cumsum(np.diff(edges) * level_cps[turn])])
    expected = np.diff(np.interp(np.arange(bins + 1) * ROW_S, edges, photons_until))
    return np.asarray(rng.poisson(expected + background_cps * ROW_S), np.float64)


def expected(lag_s: NDArray[np.float64]) -> NDArray[np.float64]:
    share = TO_ON_HZ / (TO_ON_HZ + TO_OFF_HZ)
    mean = share * ON_CPS + (1 - share) * OFF_CPS
    contrast = share * (1 - share) * ((ON_CPS - OFF_CPS) / mean) ** 2
    return 1 + contrast * np.exp(-(TO_ON_HZ + TO_OFF_HZ) * lag_s)


@pytest.mark.parametrize("background_cps", [0.0, 2e4])
def test_telegraph_light_decays_with_the_sum_of_its_rates_within_the_errors(background_cps: float) -> None:
    rng = np.random.default_rng(1)
    pulls, lag_s = [], np.empty(0)
    for _ in range(60):
        found = long_time_correlation(
            telegraph(rng, 30_000, background_cps), np.ones(30_000, bool), ROW_S, background_cps
        )
        assert found is not None
        lag_s = found.lag_s
        pulls.append((found.g - expected(lag_s)) / found.error)
    within = np.mean(np.abs(pulls) < 1, axis=0)
    bias = np.mean(pulls, axis=0)

    assert np.mean(within) == pytest.approx(0.68, abs=0.08)
    assert np.abs(bias).max() < 0.5
    assert np.abs(bias[lag_s < 0.1]).max() < 0.3


def test_lags_are_logarithmic_from_one_bin_to_a_quarter_of_the_record() -> None:
    rng = np.random.default_rng(2)

    found = long_time_correlation(telegraph(rng, 40_000), np.ones(40_000, bool), ROW_S, 0.0)

    assert found is not None
    assert found.lag_s[0] == pytest.approx(ROW_S)
    assert 8.0 < found.lag_s[-1] <= 10.0
    assert np.all(np.diff(found.lag_s) > 0)
    assert np.all(found.lag_s[1:] / found.lag_s[:-1] <= 2.0)
    assert len(found.lag_s) < 60


def test_steady_light_is_one_at_every_lag() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(76, 30_000).astype(np.float64)

    found = long_time_correlation(counts, np.ones(30_000, bool), ROW_S, 0.0)

    assert found is not None
    assert np.abs(found.g - 1).max() < 2e-3
    assert np.mean(np.abs(found.g - 1) < 3 * found.error) > 0.95


def test_lost_photons_do_not_bend_the_curve() -> None:
    rng = np.random.default_rng(4)
    counts = telegraph(rng, 30_000)
    good = np.ones(30_000, bool)
    for first in range(1000, 30_000, 3000):
        good[first : first + 400] = False
    with_gaps = np.where(good, counts, 0.0)

    whole = long_time_correlation(counts, np.ones(30_000, bool), ROW_S, 0.0)
    found = long_time_correlation(with_gaps, good, ROW_S, 0.0)

    assert whole is not None
    assert found is not None
    assert found.lag_s == pytest.approx(whole.lag_s)
    assert np.mean(np.abs(found.g - whole.g) < whole.error) > 0.9


def test_background_alone_and_records_too_short_are_unknown() -> None:
    rng = np.random.default_rng(5)
    dark = rng.poisson(2.0, 5000).astype(np.float64)

    assert long_time_correlation(dark, np.ones(5000, bool), ROW_S, 2000.0) is None
    assert long_time_correlation(np.full(50, 80.0), np.ones(50, bool), ROW_S, 0.0) is None
    assert long_time_correlation(np.full(5000, 80.0), np.zeros(5000, bool), ROW_S, 0.0) is None
