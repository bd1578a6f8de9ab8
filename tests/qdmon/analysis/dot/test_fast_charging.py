"""A dot that charges and recovers within a time bin: none is all bright, its luckiest ones lead astray."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.bright import bright_levels
from qdmon.analysis.dot.fit import DotFit, fit_dot
from qdmon.analysis.dot.states import DotModel
from qdmon.analysis.dot.verdict import call_of, read_bins
from tests.qdmon.analysis.dot.paths import BRIGHT, PAPERS_DOT, TRAPS, TRION, drawn, path_of

BINS, PARTS = 3000, 20
DOT = replace(PAPERS_DOT, bright_cps=0.17 * PAPERS_DOT.bright_cps)


def switching(rng: np.random.Generator, state: NDArray[np.intp], dot: DotModel) -> BinnedDecays:
    """Bins of a dot of which the state in each part of a bin is known."""
    data = drawn(rng, path_of((BRIGHT, BINS)), dot)
    mixed = data.expected(dot)[state].reshape(BINS, PARTS, -1).mean(axis=1)
    return replace(data, counts=rng.poisson(mixed).astype(np.float32))


@cache
def charging_fast(seed: int) -> tuple[BinnedDecays, DotFit]:
    """Neutral for 1.2 bins in the mean, charged for half a bin at least, by a power law as real dots are."""
    rng = np.random.default_rng(seed)
    state = np.full(BINS * PARTS, BRIGHT)
    at = 0.0
    while at < BINS:
        at += rng.exponential(1.2)
        stays = min(0.5 * (1 - rng.random()) ** (-1 / 1.03), 250.0)
        state[int(at * PARTS) : int((at + stays) * PARTS)] = TRION
        at += stays
    data = switching(rng, state, DOT)
    fit = fit_dot(data, 20.0)
    assert fit is not None
    return data, fit


def test_the_luckiest_bins_are_brighter_than_the_dot_and_what_lasts_is_darker() -> None:
    data, _ = charging_fast(7)
    lucky, lasting = bright_levels(data)
    assert lucky[0] > 1.1 * DOT.bright_cps > DOT.bright_cps > 1.1 * lasting[0]


@pytest.mark.parametrize("seed", [2, 6, 7])
def test_its_bright_level_is_found_all_the_same(seed: int) -> None:
    _, fit = charging_fast(seed)
    assert fit.likeliest.dot.bright_cps == pytest.approx(DOT.bright_cps, rel=0.1)
    assert fit.likeliest.dot.bright_ns == pytest.approx(DOT.bright_ns, rel=0.04)
    assert fit.both.log_likelihood > fit.families["auger"].log_likelihood


@pytest.mark.parametrize("seed", [2, 6, 7])
def test_it_is_an_auger_dot(seed: int) -> None:
    data, fit = charging_fast(seed)
    call = call_of(data, read_bins(data, fit), (0.0, BINS * data.bin_s), None, 1.0)
    assert call.blinking == "auger"
    assert call.probabilities["auger"] > 0.95


def test_a_trion_that_is_over_at_once_is_no_deep_trap() -> None:
    # It lives for 0.045 of the exciton's lifetime and is left within a bin; traps as deep lie elsewhere.
    rng = np.random.default_rng(3)
    dot = replace(PAPERS_DOT, bright_cps=19.6e3, trion_ns=0.045 * PAPERS_DOT.bright_ns, beta=2.0)
    state = np.full(BINS * PARTS, BRIGHT)
    for dim, on_bins, off_bins in (([TRION], 4.0, 0.7), (TRAPS[8:17:4].tolist(), 60.0, 8.0)):
        at = rng.exponential(on_bins)
        while at < BINS:
            stays = rng.exponential(off_bins)
            state[int(at * PARTS) : int((at + stays) * PARTS)] = rng.choice(dim)
            at += stays + rng.exponential(on_bins)
    fit = fit_dot(switching(rng, state, dot), 20.0)
    assert fit is not None
    assert fit.likeliest is fit.both
    assert fit.both.dot.trion_ns == pytest.approx(dot.trion_ns, rel=0.1)
