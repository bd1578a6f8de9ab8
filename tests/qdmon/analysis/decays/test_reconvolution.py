"""The model of the decays as a function of its parameters."""

import numpy as np
import pytest

from qdmon.analysis.decays.reconvolution import BACKGROUND, SCATTER, SHIFT, Detector, ReconvolutionModel
from qdmon.analysis.decays.response import gaussian_with_tail
from tests.qdmon.analysis.decays.simulated_decays import binned, exponentials, histograms


def model_of(number: int, *, measured: bool = False) -> ReconvolutionModel:
    bins = binned(histograms(1, 100_000, exponentials((24.7, 0.7), (5.0, 0.3))))
    response = gaussian_with_tail(0.36) if measured else None
    return ReconvolutionModel([Detector(b, response) for b in bins.values()], 200.0, number)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("measured", [False, True])
def test_derivatives_are_those_of_the_expected_photons(number: int, *, measured: bool) -> None:
    model = model_of(number, measured=measured)
    x = model.start()
    jacobian = model.jacobian(x)
    for i in np.flatnonzero(model.free):
        step = np.zeros(len(x))
        step[i] = 1e-4 * model.scale[i]
        slope = (model.expected(x + step) - model.expected(x - step)) / (2 * step[i])
        assert jacobian[:, i] == pytest.approx(slope, rel=2e-3, abs=2e-3 * float(np.abs(slope).max()))


def test_only_what_the_data_can_tell_is_free() -> None:
    assumed, measured = model_of(2), model_of(2, measured=True)
    assert np.count_nonzero(~assumed.free) == 1
    assert np.count_nonzero(~measured.free) == 3
    assert (assumed.low < assumed.high).all()


def test_the_first_guess_is_within_the_bounds_and_near_the_truth() -> None:
    model = model_of(2)
    x = model.start()
    assert (x >= model.low).all()
    assert (x <= model.high).all()
    assert np.exp(x[:2]) == pytest.approx([24.7, 5.0], rel=0.3)


def test_light_adds_up() -> None:
    model = model_of(2)
    x = model.start()
    parts = []
    for kept in ("first", "second", "rest"):
        y = x.copy()
        y[2:4] *= {"first": (1, 0), "second": (0, 1), "rest": (0, 0)}[kept]
        if kept != "rest":
            model.own(y)[:, [SCATTER, BACKGROUND]] = 0
        parts.append(model.expected(y))
    assert sum(parts) == pytest.approx(model.expected(x))


def test_a_later_pulse_moves_light_to_later_bins() -> None:
    model = model_of(1)
    x = model.start()
    later = x.copy()
    model.own(later)[:, SHIFT] += 0.3
    before, after = model.expected(x), model.expected(later)
    assert after.sum() == pytest.approx(before.sum(), rel=2e-3)
    index = np.arange(len(before))
    assert after @ index > before @ index
