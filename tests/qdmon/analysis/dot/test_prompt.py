"""Light before the gate: a trion that is over by then, and a trap as deep, of which as little is left."""

from dataclasses import replace

import numpy as np
import pytest

from qdmon.analysis.dot.binned import BinnedDecays
from qdmon.analysis.dot.fit import DotFit, fit_dot
from qdmon.analysis.dot.prompt import charged_by_prompt
from qdmon.analysis.dot.states import CHARGED, SINGLE
from qdmon.analysis.dot.verdict import read_bins
from tests.qdmon.analysis.dot.paths import PAPERS_DOT, TRAPS, TRION, alternating, drawn

# A dot of 6 ns: its trion lives for half a nanosecond, as long as it does in a deep trap.
FAST = replace(PAPERS_DOT, bright_cps=10e3, bright_ns=6.0, trion_ns=0.5, beta=1.9, background_cps=200.0)
SHALLOWER = int(TRAPS[6])
DEEP = int(TRAPS[13])


def dot_with(*dim: int, seed: int = 1, scattered_cps: float = 0.0) -> BinnedDecays:
    """25 s of the fast dot in dwells of tens of milliseconds, with steady light of the pulse itself."""
    rng = np.random.default_rng(seed)
    data = drawn(rng, alternating(rng, 5000, dim, on_bins=12.0, off_bins=6.0), FAST, period_ns=100.0)
    counts = data.counts.copy()
    counts[:, 0] += rng.poisson(scattered_cps * data.bin_s, len(counts))
    return replace(data, counts=counts)


def fitted(data: BinnedDecays) -> DotFit:
    fit = fit_dot(data, background_sd_cps=20.0)
    assert fit is not None
    return fit


@pytest.mark.parametrize("scattered_cps", [0.0, 100.0])
@pytest.mark.parametrize(("dim", "auger"), [((DEEP, SHALLOWER), 0.0), ((TRION, SHALLOWER), 0.6)])
def test_what_is_over_at_the_gate_is_told_by_the_light_before_it(
    dim: tuple[int, int], auger: float, scattered_cps: float
) -> None:
    data = dot_with(*dim, scattered_cps=scattered_cps)
    reading = read_bins(data, fitted(data))
    found = reading.shares[reading.best.family].auger
    assert found.value == pytest.approx(auger, abs=0.12)
    assert abs((found.value or 0.0) - auger) < 3 * (found.error or 0.0)


def test_a_state_that_is_named_wrong_behind_the_gate_gets_its_own_name() -> None:
    data = dot_with(TRION, SHALLOWER)
    traps = fitted(data).families["bc"]
    chance = charged_by_prompt(data, traps)
    lifetimes_ns = traps.dot.lifetimes_ns[SINGLE]
    held = traps.spent[SINGLE] > 50
    dark, lasting = held & (lifetimes_ns < 1.0), held & (lifetimes_ns > 2.0)
    assert dark.any()
    assert lasting.sum() > 1
    assert chance[dark].min() > 0.99
    assert chance[lasting].max() == 0.0


def test_states_that_live_on_behind_the_gate_are_what_they_are_named() -> None:
    rng = np.random.default_rng(2)
    data = drawn(rng, alternating(rng, 2000, [TRION, SHALLOWER]))
    both = fitted(data).both
    np.testing.assert_array_equal(charged_by_prompt(data, both), CHARGED[SINGLE])
