"""Multi-exponential fits of simulated dots: detectors that go blind, after-pulses, biexcitons, blinking."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.sim.presets import Preset, find_preset
from hardware.sim.simulation import DotSimulation
from qdmon.analysis.bins import count_nanotimes
from qdmon.analysis.calibration.timing import rising_edge
from qdmon.analysis.decays.decay_bins import decay_bins
from qdmon.analysis.decays.multiexponential import MultiExponential, fit_number_of_exponentials
from qdmon.analysis.decays.pileup import PileUp

BLINKING = find_preset("cdse-zns-2nm")
STEADY = replace(
    BLINKING,
    name="steady",
    dot=replace(BLINKING.dot, charging=None, conversion=None),
    setup=replace(BLINKING.setup, afterpulse=0.0),
)


def light(preset: Preset, mean_excitation: float, seconds: float) -> tuple[NDArray[np.int64], float]:
    """(c, t) TCSPC histograms and the pulses behind them."""
    simulation = DotSimulation(preset, 3)
    acquisition = simulation.acquisition()
    histogram = np.zeros((2, acquisition.nanotime_bins), np.int64)
    pulses = acquisition.pulses(seconds)
    photons = simulation.advance(pulses, mean_excitation)
    count_nanotimes(histogram, photons.nanotime, photons.channel)
    return histogram, float(pulses)


def fitted(histogram: NDArray[np.int64], pile_up: PileUp | None = None) -> MultiExponential:
    bins = {}
    for channel, row in enumerate(histogram):
        edge = rising_edge(row, 16.0)
        assert edge is not None
        bins[channel] = decay_bins(row, 16.0, 200.0, edge.at_ps, pile_up)
    fit = fit_number_of_exponentials(bins, {}, 200.0)
    assert fit is not None
    return fit


@pytest.mark.parametrize("mean_excitation", [0.1, 1.4])
def test_the_exciton_of_a_dot_that_does_not_blink_is_unbiased_however_bright_it_is(
    mean_excitation: float,
) -> None:
    histogram, _ = light(STEADY, mean_excitation, 4.0)
    fit = fitted(histogram)
    assert fit.lifetimes_ns[0] == pytest.approx(24.7, rel=0.006)
    assert fit.goodness is not None
    assert fit.goodness.by_chance
    if mean_excitation > 1:
        # XX radiates four times as fast; with a yield of 9 % of that of X it decays in 0.556 ns.
        assert len(fit.lifetimes_ns) == 2
        assert fit.lifetimes_ns[1] == pytest.approx(0.556, rel=0.06)


def test_the_pile_up_of_many_emitters_is_not_that_of_one() -> None:
    """At 0.06 clicks a pulse independent light would lose early photons; one emitter has none to lose."""
    histogram, pulses = light(STEADY, 1.4, 4.0)
    plain, wrong = fitted(histogram), fitted(histogram, PileUp(pulses, 22.0))
    assert plain.goodness is not None
    assert wrong.goodness is not None
    assert plain.goodness.chi2_reduced < 1.3
    assert wrong.goodness.chi2_reduced > 1.5


def test_a_blinking_dot_shows_exciton_and_trion() -> None:
    histogram, _ = light(BLINKING, 0.2, 8.0)
    fit = fitted(histogram)
    assert fit.lifetimes_ns[:2] == pytest.approx([24.7, 5.0], rel=0.08)
    assert fit.goodness is not None
    assert fit.goodness.by_chance
