"""Spectrometer frames: the line where the dot has it, as bright and as noisy as it should be."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.sim.presets import find_preset
from hardware.sim.simulation import slow_truth
from hardware.sim.spectra import spectrum_counts, wavelengths_nm
from hardware.sim.truth import Truth
from tests.hardware.sim import sim_measures as measure


def centre_nm(counts: NDArray[np.float64]) -> float:
    """First moment of the counts of a 2 nm dot."""
    return float((wavelengths_nm(find_preset("cdse-zns-2nm")) * counts).sum() / counts.sum())


def converted() -> Truth:
    """A 2 nm dot through the paper's protocol, which converts at 31 s as the paper's seems to."""
    preset = find_preset("cdse-zns-2nm")
    return slow_truth(preset, 4, measure.protocol(preset.fluences), 75.0)


def test_the_line_moves_from_633_to_641_nm() -> None:
    truth, rng = converted(), np.random.default_rng(1)
    for start_s, expected_nm in ((10.0, 633.0), (35.0, 641.0), (60.0, 641.0)):
        frames = [spectrum_counts(truth, start_s + i, start_s + i + 1.0, rng) for i in range(5)]
        assert np.mean([centre_nm(frame) for frame in frames]) == pytest.approx(expected_nm, abs=0.5)


def test_a_frame_holds_a_tenth_of_the_light_of_the_dot() -> None:
    truth = slow_truth(measure.always_neutral(), 1, measure.protocol([0.1], 10.0), 10.0)
    counts = spectrum_counts(truth, 0.0, 10.0, np.random.default_rng(2))
    assert counts.sum() == pytest.approx(0.1 * 10 * 76_000, rel=0.02)


def test_counts_scatter_twice_as_much_as_poisson() -> None:
    truth = slow_truth(measure.always_neutral(), 1, measure.protocol([0.1], 10.0), 10.0)
    rng = np.random.default_rng(3)
    totals = np.array([spectrum_counts(truth, 0.0, 0.1, rng).sum() for _ in range(1500)])
    pixels, read_noise = 301, 0.5
    expected = 2.0 * totals.mean() + pixels * read_noise**2
    assert totals.var() == pytest.approx(expected, rel=0.12)


def test_the_same_chance_gives_the_same_frame() -> None:
    truth = converted()
    first, second = (spectrum_counts(truth, 1.0, 2.0, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("start_s", "stop_s"), [(-1.0, 1.0), (70.0, 80.0), (3.0, 3.0)])
def test_no_frame_is_made_up_where_nothing_is_known(start_s: float, stop_s: float) -> None:
    with pytest.raises(ValueError, match="no light is known"):
        spectrum_counts(converted(), start_s, stop_s, np.random.default_rng(1))
