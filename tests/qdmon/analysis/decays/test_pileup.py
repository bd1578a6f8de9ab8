"""Pile-up: what a detector misses, against clicks made one by one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.decays.multiexponential import fit_exponentials
from qdmon.analysis.decays.pileup import PileUp
from tests.qdmon.analysis.decays.simulated_decays import RESOLUTION_PS, binned

PERIOD_NS, TAU_NS = 200.0, 24.7
PULSES = 3_000_000


def clicks(mean: float, dead_time_ns: float) -> NDArray[np.int64]:
    """(1, t) histogram of a detector under many emitters, `mean` photons per pulse on average."""
    rng = np.random.default_rng(5)
    n = rng.poisson(mean * PULSES)
    start = 4.0 + rng.integers(0, PULSES, n) * PERIOD_NS
    t = np.sort(start + rng.exponential(TAU_NS, n) + rng.normal(0, 0.15, n))
    kept, last, pulse = [], -np.inf, -1
    for now in t.tolist():
        at = int((now - 1.0) // PERIOD_NS)
        blind = at == pulse if np.isinf(dead_time_ns) else now - last < dead_time_ns
        if not blind:
            kept.append(now)
            last, pulse = now, at
    return np.bincount((np.array(kept) % PERIOD_NS * 1e3 / RESOLUTION_PS).astype(np.int64), minlength=3125)[
        None, :3125
    ]


@pytest.mark.parametrize("dead_time_ns", [22.0, np.inf])
def test_pile_up_of_many_emitters_is_undone(dead_time_ns: float) -> None:
    histogram = clicks(0.1, dead_time_ns)
    plain, corrected = (
        fit_exponentials(binned(histogram, PERIOD_NS, pile_up), {}, PERIOD_NS, 1)
        for pile_up in (None, PileUp(PULSES, dead_time_ns))
    )
    assert plain is not None
    assert corrected is not None
    bias = plain.lifetimes_ns[0] / TAU_NS - 1
    error = np.sqrt(corrected.covariance[0, 0]) / TAU_NS
    # One click a pulse shortens by about half the chance of a click; a dead time within the decay acts on
    # the counts more than on the lifetime.
    assert bias == pytest.approx(-0.03 if np.isinf(dead_time_ns) else 0.004, abs=0.01)
    assert corrected.lifetimes_ns[0] == pytest.approx(TAU_NS, rel=2.5 * error)
    assert plain.goodness is not None
    assert corrected.goodness is not None
    assert corrected.goodness.chi2_reduced < plain.goodness.chi2_reduced
    assert corrected.goodness.by_chance


def test_one_click_a_pulse_leaves_what_coates_says() -> None:
    counts = np.array([0, 100, 50, 25], np.int64)
    live = PileUp(1000, np.inf).live(counts, 1.0, 1)
    assert live == pytest.approx([1 - 0.175, 1.0, 0.9, 0.85])


def test_a_dead_time_reaches_back_into_the_pulse_before() -> None:
    counts = np.array([100, 50, 0, 0, 200], np.int64)
    live = PileUp(1000, 2.0, same_pulse=0.0).live(counts, 1.0, 0)
    assert live == pytest.approx([0.8, 0.8, 1.0, 1.0, 1.0])


def test_a_single_emitter_loses_nothing_within_a_pulse() -> None:
    counts = np.array([0, 0, 90, 60, 40, 20, 0, 0], np.int64)
    assert PileUp(1000, 3.0, same_pulse=0.0).live(counts, 1.0, 2) == pytest.approx(np.ones(8))
