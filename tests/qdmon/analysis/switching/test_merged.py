"""Dwells that run together because what parted them was too short to be seen."""

import numpy as np
import pytest

from qdmon.analysis.results.estimate import Estimate
from qdmon.analysis.switching.merged import MISSED_BINS, Merging
from qdmon.analysis.switching.missed import Seen
from qdmon.analysis.switching.power_law import PowerLaw
from qdmon.analysis.switching.resolution import LEAST_BINS


def seen(share: float, log_error: float = 0.0) -> Seen:
    return Seen(share, log_error, 0.7)


def test_where_nothing_is_missed_the_law_stays_as_it_is() -> None:
    law = PowerLaw(1.5, 0.01)
    bins = np.arange(LEAST_BINS, 301)

    found = Merging(seen(1.0), seen(1.0)).apparent(law, 300)

    np.testing.assert_allclose(found[bins], law.mass(bins) / law.whole, rtol=1e-6)
    np.testing.assert_allclose(found[:LEAST_BINS], 0.0, atol=1e-9)


@pytest.mark.parametrize("own", [1.0, 0.7])
def test_dwells_joined_one_by_one_are_spread_as_foreseen(own: float) -> None:
    """Dwells are drawn, each followed by another one with the chance that what is between is missed."""
    rng = np.random.default_rng(1)
    law, missed, longest = PowerLaw(1.2, 0.05), 0.3, 3000
    bins = np.arange(LEAST_BINS, longest + 1)
    chance = law.mass(bins) / law.mass(bins).sum()
    total = rng.choice(bins, 200_000, p=chance)
    going = rng.random(len(total)) < missed
    while going.any():
        more = rng.choice(bins, len(total), p=chance)
        more[rng.random(len(total)) > own] = MISSED_BINS
        total[going] += (MISSED_BINS + more)[going]
        going &= rng.random(len(total)) < missed

    found = np.cumsum(Merging(seen(own), seen(1 - missed)).apparent(law, longest))

    for n in (3, 8, 30, 100):
        assert found[n] == pytest.approx(float(np.mean(total <= n)), abs=0.004)


def test_the_mean_of_exponential_dwells_loses_what_was_joined() -> None:
    rng = np.random.default_rng(2)
    mean_s, bin_s, missed = 0.2, 0.01, 0.1
    joins = rng.geometric(1 - missed, 200_000)
    apparent = rng.gamma(joins, mean_s) + MISSED_BINS * bin_s * (joins - 1)

    found = Merging(seen(1.0), seen(1 - missed)).of_exponential(Estimate(float(apparent.mean()), 0.01), bin_s)

    assert found.value == pytest.approx(mean_s, rel=0.01)
    assert found.error == pytest.approx(0.009, rel=0.01)


def test_the_doubt_about_what_is_missed_becomes_doubt_about_the_mean() -> None:
    found = Merging(seen(1.0), seen(0.8, 0.1)).of_exponential(Estimate(0.2, 0.01), 0.001)

    assert found.error == pytest.approx(0.8 * np.hypot(0.01, 0.02), rel=0.01)
    assert Merging(seen(1.0), seen(0.2)).of_exponential(Estimate(0.01, 0.002), 0.01).value is None
