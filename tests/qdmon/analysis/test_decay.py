"""The TCSPC histogram with its fit."""

import numpy as np
import pytest

from qdmon.analysis.decay import decay_with_fit, empty_decay
from qdmon.analysis.snapshot import Estimate
from tests.qdmon.analysis import builders as b

T0 = {0: 4000.0, 1: 4640.0}


def histogram_of(seconds: float) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    rng = np.random.default_rng(1)
    acq = b.acquisition()
    found, _ = b.photons(rng, b.mixed_dot(rng, seconds), acq=acq)
    return np.stack(
        [np.bincount(found.nanotime[found.channel == c], minlength=acq.nanotime_bins) for c in (0, 1)]
    )


def test_several_exponentials_and_a_floor_describe_a_blinking_dot() -> None:
    histogram = histogram_of(5.0)
    decay = decay_with_fit(histogram, 64.0, 200.0, T0, Estimate(20.0))
    assert decay.chi2_reduced == pytest.approx(1.0, abs=0.2)
    assert set(decay.model) == {0, 1}
    for channel in (0, 1):
        assert decay.counts[channel].sum() == pytest.approx(histogram[channel].sum(), rel=0.01)
        after = decay.time_ns > 10
        assert decay.model[channel][after].sum() == pytest.approx(
            decay.counts[channel][after].sum(), rel=0.01
        )


def test_a_detector_with_hardly_a_photon_has_no_model() -> None:
    histogram = histogram_of(0.5)
    histogram[1] //= 200
    decay = decay_with_fit(histogram, 64.0, 200.0, T0, Estimate(20.0))
    assert set(decay.model) == {0}


def test_without_photons_there_is_no_fit() -> None:
    decay = decay_with_fit(np.zeros((2, 3125), np.int64), 64.0, 200.0, T0, Estimate(None))
    assert decay.chi2_reduced is None
    assert decay.model == {}
    assert empty_decay().lifetime_ns.value is None
