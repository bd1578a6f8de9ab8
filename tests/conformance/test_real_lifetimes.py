"""Multi-exponential fits of real recordings against independent tail fits (TRUTH.json)."""

from functools import cache

import numpy as np
import pytest

from qdmon.analysis.bins import count_nanotimes
from qdmon.analysis.calibration.timing import rising_edge
from qdmon.analysis.decays.decay_bins import decay_bins
from qdmon.analysis.decays.multiexponential import (
    MultiExponential,
    fit_exponentials,
    fit_number_of_exponentials,
)
from streams.formats import open_recording
from streams.messages import PhotonBatch
from tests.realdata import real_file, truth

SMS = "fullsms_picoharp_pt3/{}.pt3"
BEADS = "tttrlib_symphotime_beads/beads.ptu"
HAZELNUT = "napari_picoharp_flim/ptu_stack_FLIM_z1.ptu"


@cache
def fitted(name: str, channel: int, number: int | None = None) -> MultiExponential:
    """The decay of one detector over a whole recording, response assumed."""
    recording = open_recording(real_file(name))
    acquisition = recording.acquisition
    assert acquisition.resolution_ps is not None
    histogram = np.zeros((channel + 1, acquisition.nanotime_bins), np.int64)
    for message in recording.messages():
        if isinstance(message, PhotonBatch):
            seen = message.photons.channel == channel
            count_nanotimes(histogram, message.photons.nanotime[seen], message.photons.channel[seen])
    row = histogram[channel]
    edge = rising_edge(row, acquisition.resolution_ps)
    assert edge is not None
    period_ns = acquisition.macro_tick_ps / 1e3
    bins = {channel: decay_bins(row, acquisition.resolution_ps, period_ns, edge.at_ps)}
    fit = (
        fit_number_of_exponentials(bins, {}, period_ns)
        if number is None
        else fit_exponentials(bins, {}, period_ns, number)
    )
    assert fit is not None
    return fit


@pytest.mark.parametrize("name", ["trace1", "trace3"])
def test_one_exponential_of_a_blinking_emitter_agrees_with_the_tail_fit(name: str) -> None:
    path = SMS.format(name)
    expected = truth(path)["tail_fit"]["2"]
    fit = fitted(path, 2, 1)
    error = np.hypot(np.sqrt(fit.covariance[0, 0]), expected["tau_lsq_err_ns"])
    assert fit.lifetimes_ns[0] == pytest.approx(expected["tau_ns"], abs=2 * error)
    assert fit.lifetimes_ns[0] == pytest.approx(expected["tau_ns"], rel=0.02)


@pytest.mark.parametrize("name", ["trace1", "trace3"])
def test_behind_a_short_component_is_the_lifetime_of_the_bright_state(name: str) -> None:
    path = SMS.format(name)
    bright = truth(path)["intensity_sorted_50ms_ch2"]["bright_>180"]["tail_fit"]
    fit = fitted(path, 2)
    assert len(fit.lifetimes_ns) == 2
    # Dim light, a few hundredths of the photons, is in the fit of the whole recording.
    assert fit.lifetimes_ns[0] == pytest.approx(bright["tau_ns"], rel=0.04)
    assert fit.photons[0] / fit.photons.sum() > 0.9
    assert fit.goodness is not None
    assert fit.goodness.by_chance


@pytest.mark.parametrize("channel", [0, 1])
def test_beads_are_nearly_one_exponential(channel: int) -> None:
    expected = truth(BEADS)["tail_fit"][str(channel)]
    fit = fitted(BEADS, channel, 1)
    # The tail fit leaves out the first and the last fifth of the period.
    assert fit.lifetimes_ns[0] == pytest.approx(expected["tau_ns"], rel=0.09)
    assert fit.goodness is not None
    assert fit.goodness.chi2_reduced < 1.6


def test_a_decay_of_tissue_is_many_exponentials_and_no_fit_is_called_adequate() -> None:
    assert truth(HAZELNUT)["tail_fit"]["1"]["chi2red"] > 5
    one, best = fitted(HAZELNUT, 1, 1), fitted(HAZELNUT, 1)
    assert len(best.lifetimes_ns) > 1
    assert best.deviance < 0.2 * one.deviance
    for fit in (one, best):
        assert fit.goodness is not None
        assert not fit.goodness.by_chance
