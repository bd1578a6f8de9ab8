"""The TCSPC histogram with its fit: what is drawn and what is said."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.decays.decay import LateFit, decay_summary, drawn_decay, empty_decay
from qdmon.analysis.decays.multiexponential import fit_exponentials, fit_number_of_exponentials
from qdmon.analysis.decays.pileup import PileUp
from qdmon.analysis.decays.response import gaussian_with_tail
from qdmon.analysis.results.decay_fit import Decay
from qdmon.analysis.results.estimate import Estimate
from tests.qdmon.analysis.decays.simulated_decays import FWHM_NS, binned, exponentials, histograms

T0 = {0: 4000.0, 1: 4640.0}
TWO = exponentials((24.7, 0.7), (5.0, 0.3))


def late_fit(histogram: NDArray[np.int64]) -> LateFit:
    late = LateFit(64.0, 200.0, T0, {})
    late.renew(histogram, None)
    return late


def drawn(histogram: NDArray[np.int64], late: LateFit) -> Decay:
    return drawn_decay(histogram, 64.0, 200.0, T0, Estimate(20.0), late.fit)


def test_the_curve_goes_through_the_data_of_both_detectors() -> None:
    histogram = histograms(1, 300_000, TWO)
    decay = drawn(histogram, late_fit(histogram))
    assert decay.chi2_reduced == pytest.approx(1.0, abs=0.35)
    assert set(decay.model) == {0, 1}
    for channel in (0, 1):
        counts, model = decay.counts[channel], decay.model[channel]
        assert counts.sum() == pytest.approx(histogram[channel].sum(), rel=0.01)
        away = np.abs(decay.time_ns - T0[channel] / 1e3) > 1.0
        pulls = (counts - model)[away] / np.sqrt(np.maximum(model[away], 1.0))
        assert float(np.mean(pulls**2)) == pytest.approx(1.0, abs=0.3)


def test_components_and_means_are_stated_with_errors() -> None:
    summary = late_fit(histograms(2, 300_000, TWO)).summary
    assert summary is not None
    assert [c.lifetime_ns.value for c in summary.components] == pytest.approx([24.7, 5.0], rel=0.03)
    assert [c.photons.value for c in summary.components] == pytest.approx([0.7, 0.3], abs=0.02)
    amplitudes = np.array([0.7 / 24.7, 0.3 / 5.0])
    expected = amplitudes / amplitudes.sum()
    assert [c.amplitude.value for c in summary.components] == pytest.approx(expected.tolist(), abs=0.02)
    for mean, truth in (
        (summary.amplitude_mean_ns, 1 / amplitudes.sum()),
        (summary.intensity_mean_ns, 0.7 * 24.7 + 0.3 * 5.0),
    ):
        assert mean.error is not None
        assert mean.value == pytest.approx(truth, abs=4 * mean.error)
    assert summary.adequate
    assert summary.photons == pytest.approx(300_000, rel=0.01)


def test_the_curve_of_an_earlier_fit_grows_with_the_photons() -> None:
    histogram = histograms(3, 100_000, TWO)
    late = late_fit(histogram)
    early, later = drawn(histogram, late), drawn(3 * histogram, late)
    assert later.model[0].sum() == pytest.approx(3 * early.model[0].sum(), rel=1e-6)
    assert later.fit == early.fit


def test_a_late_fit_is_of_the_histogram_when_it_was_set_aside() -> None:
    histogram = histograms(4, 100_000, TWO)
    late = late_fit(histogram)
    histogram[:] = 0
    assert late.summary is not None
    assert late.summary.photons > 90_000
    first = late.fit
    assert late.fit is first
    late.renew(histograms(5, 50_000, TWO), PileUp(1e9, 25.0))
    assert late.fit is not first


def test_a_component_as_short_as_an_assumed_response_is_left_out_of_the_means() -> None:
    histogram = histograms(6, 200_000, exponentials((24.7, 0.8), (0.15, 0.2)), scatter=0.0)
    bins = binned(histogram)
    assumed = decay_summary(fit_exponentials(bins, {}, 200.0, 2))
    shape = gaussian_with_tail(FWHM_NS)
    known = type(shape)(shape.edges_ns, shape.density, measured=True)
    measured = decay_summary(fit_exponentials(bins, {0: known, 1: known}, 200.0, 2))
    assert assumed is not None
    assert len(assumed.components) == 2
    assert assumed.amplitude_mean_ns.value == pytest.approx(24.7, rel=0.02)
    assert assumed.intensity_mean_ns.value == pytest.approx(24.7, rel=0.02)
    assert measured is not None
    for mean, truth in (
        (measured.amplitude_mean_ns, 1 / (0.8 / 24.7 + 0.2 / 0.15)),
        (measured.intensity_mean_ns, 0.8 * 24.7 + 0.2 * 0.15),
    ):
        assert mean.error is not None
        assert mean.value == pytest.approx(truth, abs=3 * mean.error)
        assert mean.error < 0.25 * truth


def test_a_detector_with_hardly_a_photon_has_no_model() -> None:
    histogram = histograms(7, 40_000, TWO)
    histogram[1] //= 200
    decay = drawn(histogram, late_fit(histogram))
    assert set(decay.model) == {0}
    assert set(decay.counts) == {0, 1}


def test_without_photons_there_is_no_fit() -> None:
    nothing = np.zeros((2, 3125), np.int64)
    decay = drawn(nothing, late_fit(nothing))
    assert decay.chi2_reduced is None
    assert decay.model == {}
    assert decay.fit is None
    assert LateFit(64.0, 200.0, T0, {}).summary is None
    assert decay_summary(fit_number_of_exponentials({}, {}, 200.0)) is None
    assert empty_decay().lifetime_ns.value is None
