"""How many dwells were too short to be seen, from those that were."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.switching.missed import share_longer, share_seen
from tests.qdmon.analysis.switching.switching import Draw, exponential, power_law, spread_rates

NONE_CUT = np.empty(0, np.int64)
BIN_S = 0.0025


def read(rng: np.random.Generator, draw: Draw, count: int) -> NDArray[np.int64]:
    """Dwells in bins, edges falling anywhere."""
    return np.floor(draw(rng, count) / BIN_S + rng.random(count)).astype(np.int64)


LAWS = {
    "slow": exponential(0.06),
    "fast": exponential(0.01),
    "power law over one decade": spread_rates(6.0, 50.0),
    "power law over two decades": spread_rates(1.0, 200.0),
}


@pytest.mark.parametrize("law", LAWS)
def test_the_share_of_dwells_that_are_seen_is_found_from_those_alone(law: str) -> None:
    rng = np.random.default_rng(1)
    truth = float(np.mean(read(rng, LAWS[law], 200_000) >= 2))
    off, errors = [], []
    for _ in range(40):
        dwells = read(rng, LAWS[law], 150)
        found = share_seen(dwells[dwells >= 2], NONE_CUT)
        assert found is not None
        off.append(np.log(found.share / truth))
        errors.append(found.log_error)

    assert float(np.mean(off)) == pytest.approx(0.0, abs=0.07)
    # Never surer than it is right, and no more in doubt than by half of what is missed, or a hundredth.
    assert float(np.mean(np.abs(off) < 2 * np.array(errors))) >= 0.85
    assert float(np.mean(errors)) < 0.5 * -np.log(truth) + 0.01


@pytest.mark.parametrize("law", LAWS)
def test_the_share_of_dwells_longer_than_a_limit_is_found_from_how_long_those_last(law: str) -> None:
    """Those of less than a bin are seen as often as they fill half of one."""
    rng = np.random.default_rng(5)
    limit, bin_s = 0.75, 2 * BIN_S

    def told(count: int) -> NDArray[np.float64]:
        t = LAWS[law](rng, count) / bin_s
        return t[(t > limit) & (t > rng.random(count))]

    truth = len(told(200_000)) / 200_000
    off, errors = [], []
    for _ in range(40):
        found = share_longer(told(150), np.empty(0), limit, 0.4)
        assert found is not None
        off.append(np.log(found.share / truth))
        errors.append(found.log_error)

    assert float(np.mean(off)) == pytest.approx(0.0, abs=0.07)
    assert float(np.mean(np.abs(off) < 2 * np.array(errors))) >= 0.85
    assert float(np.mean(errors)) < 0.6 * -np.log(truth) + 0.01


def test_how_far_a_power_law_goes_on_below_the_limit_is_in_the_error() -> None:
    rng = np.random.default_rng(6)
    one_rate, many = exponential(5.0)(rng, 400), power_law(1.5, 200.0, 0.2)(rng, 400)
    sure, unsure = (share_longer(t[t > 0.75], np.empty(0), 0.75, 0.2) for t in (one_rate, many))

    assert sure is not None
    assert unsure is not None
    assert sure.log_error < 0.05
    assert unsure.log_error > 0.3
    assert abs(np.log(unsure.share / np.mean(many > 0.75))) < 2 * unsure.log_error


def test_dwells_all_about_as_long_as_the_limit_tell_a_share_as_well() -> None:
    found = share_longer(np.full(5, 0.76), np.empty(0), 0.75, 0.2)

    assert found is not None
    assert 0 < found.share < 0.6
    assert np.isfinite(found.log_error)


def test_dwells_that_last_a_hundred_bins_are_hardly_ever_missed() -> None:
    rng = np.random.default_rng(2)
    dwells = read(rng, exponential(100 * BIN_S), 300)

    found = share_seen(dwells[dwells >= 2], NONE_CUT)

    assert found is not None
    assert found.share == pytest.approx(np.exp(-0.015), abs=0.005)
    assert 0.4 < found.missed_bins < 0.8


def test_dwells_that_the_end_of_the_data_cuts_are_not_taken_for_short_ones() -> None:
    rng = np.random.default_rng(3)
    dwells = read(rng, exponential(5 * BIN_S), 2000)
    seen, cut = dwells[(dwells >= 2) & (dwells < 8)], dwells[dwells >= 8]

    left_out, counted = share_seen(seen, NONE_CUT), share_seen(seen, np.full(len(cut), 8))

    assert left_out is not None
    assert counted is not None
    assert abs(np.log(counted.share / np.mean(dwells >= 2))) < 2 * counted.log_error
    assert left_out.share < 0.8 * counted.share


def test_no_dwells_say_nothing() -> None:
    assert share_seen(NONE_CUT, np.array([5])) is None
    assert share_longer(np.empty(0), np.array([5.0]), 0.75, 0.2) is None
