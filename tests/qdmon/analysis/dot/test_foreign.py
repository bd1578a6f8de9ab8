"""Light that is not the dot's is found by the end of the period, and nothing else is taken for it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.foreign import foreign_bins
from qdmon.analysis.dot.states import DotModel
from tests.qdmon.analysis.dot.paths import BRIGHT, CONSTANTS, PAPERS_DOT, TRAPS, TRION, alternating, drawn

BIN_S = 0.005
SECOND = round(1 / BIN_S)
LAMP = slice(4 * SECOND, 6 * SECOND)


def lit(data: BinnedDecays, cps: float, when: slice = LAMP, seed: int = 7) -> BinnedDecays:
    """A lamp of so many counts/s was on for some of the bins."""
    counts = data.counts.copy()
    expected = cps * data.bin_s * data.bins.uniform_share
    n = len(range(len(counts))[when])
    counts[when] += np.random.default_rng(seed).poisson(expected, (n, len(expected))).astype(np.float32)
    return BinnedDecays(counts, data.bin_s, data.bins, data.background_cps)


def dot(
    seed: int = 1, seconds: int = 15, period_ns: float = 200.0, model: DotModel = PAPERS_DOT
) -> BinnedDecays:
    rng = np.random.default_rng(seed)
    path = alternating(rng, seconds * SECOND, [TRION, *TRAPS[3:9].tolist()])
    return drawn(rng, path, model, bin_s=BIN_S, period_ns=period_ns)


@pytest.mark.parametrize(
    ("period_ns", "cps"), [(200.0, 4e3), (200.0, 20e3), (100.0, 20e3), (200.0, 200e3), (100.0, 200e3)]
)
def test_a_lamp_is_found_while_it_is_on(cps: float, period_ns: float) -> None:
    found = foreign_bins(lit(dot(period_ns=period_ns), cps))
    assert found[LAMP].mean() > 0.85
    # A tenth of a second before it and behind it may be left out, too.
    outside = np.delete(found, np.arange(len(found))[LAMP])
    assert outside.sum() <= 0.6 * SECOND


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("period_ns", [200.0, 100.0])
def test_a_dot_that_blinks_is_not_taken_for_a_lamp(seed: int, period_ns: float) -> None:
    """Not one that is dark for seconds, delays a tenth of its light, or keeps its lifetime, either."""
    rng = np.random.default_rng(seed)
    slow = alternating(rng, 15 * SECOND, [TRION, int(TRAPS[-1])], on_bins=300.0, off_bins=300.0)
    constant = alternating(rng, 15 * SECOND, CONSTANTS[2:8].tolist())
    late = DotModel(76e3, 24.7, 5.0, 2.2, 1.82, 400.0, 0.1)
    for path, model in ((slow, PAPERS_DOT), (slow, late), (constant, PAPERS_DOT)):
        data = drawn(rng, path, model, bin_s=BIN_S, period_ns=period_ns)
        assert not foreign_bins(data).any()


def test_long_lived_light_that_is_rare_is_the_dots_own() -> None:
    """A dot that is charged most of the time, and lives a quarter of the period when it is not."""
    rng = np.random.default_rng(4)
    model = DotModel(50e3, 50.0, 6.6, 2.0, 1.56, 180.0, 0.0)
    path = alternating(rng, 15 * SECOND, [TRION], on_bins=200.0, off_bins=500.0)
    assert not foreign_bins(drawn(rng, path, model, bin_s=BIN_S)).any()


def test_steady_light_is_background_however_strong() -> None:
    data = dot()
    assert not foreign_bins(lit(data, 50e3, slice(0, len(data.counts)))).any()


def test_light_that_is_on_for_most_of_the_time_is_nobodys_lamp() -> None:
    assert not foreign_bins(lit(dot(), 20e3, slice(0, 12 * SECOND)))[: 11 * SECOND].any()


def test_too_little_time_says_nothing() -> None:
    rng = np.random.default_rng(2)
    path: NDArray[np.intp] = np.full(SECOND, BRIGHT)
    assert not foreign_bins(lit(drawn(rng, path, bin_s=BIN_S), 50e3, slice(100, 150))).any()
