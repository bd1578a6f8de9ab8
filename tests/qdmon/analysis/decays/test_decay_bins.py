"""TCSPC bins grouped for fitting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdmon.analysis.decays.decay_bins import decay_bins
from qdmon.analysis.decays.pileup import PileUp


@given(
    t0_ns=st.floats(0.0, 199.0),
    resolution_ps=st.sampled_from([4.0, 16.0, 64.0, 97.0, 164.61]),
    period_ns=st.sampled_from([200.0, 100.0, 25.0, 13.167]),
)
def test_photons_are_kept_wherever_the_pulse_lies(
    t0_ns: float, resolution_ps: float, period_ns: float
) -> None:
    t0_ns %= period_ns
    inside = int(period_ns * 1e3 / resolution_ps + 1e-6)
    histogram = np.ones(inside + 5, np.int64)
    bins = decay_bins(histogram, resolution_ps, period_ns, t0_ns * 1e3)
    assert (np.diff(bins.edges_ns) > 0).all()
    assert -1.5 <= bins.edges_ns[0] <= -1.5 + 2 * resolution_ps / 1e3 + 1e-6
    assert bins.edges_ns[-1] <= period_ns - 1.5 + 1e-6
    # All but a bin in which a period ends and another begins.
    assert inside - 2 <= bins.counts.sum() <= inside
    seen = bins.live > 0
    assert bins.counts[seen] == pytest.approx(bins.width_ns[seen] * 1e3 / resolution_ps)
    assert bins.counts[~seen].sum() == 0


def test_bins_are_fine_at_the_pulse_and_few_in_all() -> None:
    bins = decay_bins(np.ones(12_500, np.int64), 16.0, 200.0, 4000.0)
    at_pulse = np.abs(bins.edges_ns[:-1]) < 1
    assert bins.width_ns[at_pulse].max() < 0.12
    assert len(bins.counts) < 130
    assert bins.width_ns.max() < 0.07 * 200


def test_an_end_of_the_axis_that_no_photon_reaches_was_not_recorded() -> None:
    rng = np.random.default_rng(1)
    histogram = rng.poisson(20.0, 3125)
    histogram[:30] = 0
    histogram[3000:] = 0
    bins = decay_bins(histogram, 64.0, 200.0, 10_000.0)
    assert (bins.counts[bins.live > 0] > 0).all()
    gap = bins.live == 0
    assert bins.width_ns[gap].sum() == pytest.approx(155 * 0.064, abs=0.13)


def test_a_decay_that_fades_into_the_dark_was_recorded_to_the_end() -> None:
    photons = 4.0 + np.random.default_rng(2).exponential(5.0, 3000)
    histogram, _ = np.histogram(photons, np.arange(3126) * 0.064)
    bins = decay_bins(histogram, 64.0, 200.0, 4000.0)
    assert (bins.live > 0)[bins.edges_ns[:-1] > 1].all()
    assert bins.edges_ns[-1] > 195.9


def test_pile_up_makes_late_bins_see_less() -> None:
    histogram = np.zeros(3125, np.int64)
    histogram[62:] = (1e5 * np.exp(-np.arange(3063) * 0.064 / 24.7)).astype(np.int64)
    pulses = 20 * float(histogram.sum())
    bins = decay_bins(histogram, 64.0, 200.0, 4000.0, PileUp(pulses, np.inf))
    assert bins.live[0] == pytest.approx(1.0)
    assert bins.live[-1] == pytest.approx(0.95, abs=0.002)
    assert (np.diff(bins.live[bins.live > 0]) <= 0).all()


def test_no_photons_are_no_bins() -> None:
    assert len(decay_bins(np.zeros(3125, np.int64), 64.0, 200.0, 4000.0).counts) == 0
