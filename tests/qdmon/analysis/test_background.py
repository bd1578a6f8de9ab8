"""Uniform background read off the decays alone."""

import numpy as np
import pytest

from qdmon.analysis.background import Floor, estimate_floor, intensity_groups
from tests.qdmon.analysis import builders as b


def floor_of(
    kind: str, period_ns: float, *, seconds: float = 20.0, background_cps: float = 200.0, seed: int = 1
) -> Floor | None:
    rng = np.random.default_rng(seed)
    acq = b.acquisition(period_ns)
    found, stop = b.photons(rng, b.DOTS[kind](rng, seconds), acq=acq, background_cps=background_cps)
    data = b.binned(found, stop, acq)
    return estimate_floor(*intensity_groups(data.counts, data.bin_s), data.bins)


@pytest.mark.parametrize(("period_ns", "tolerance"), [(200.0, 0.05), (100.0, 0.10)])
@pytest.mark.parametrize("kind", ["auger", "bc", "mixed"])
def test_the_background_under_a_blinking_dot_is_found_without_bias(
    kind: str, period_ns: float, tolerance: float
) -> None:
    floors = [floor_of(kind, period_ns, seed=seed) for seed in range(3)]
    assert np.median([f.background_cps for f in floors if f is not None]) == pytest.approx(400, rel=tolerance)
    assert all(f is not None and f.delayed == 0 for f in floors)


def test_a_dot_without_background_gets_none() -> None:
    floor = floor_of("auger", 200.0, background_cps=0.0)
    assert floor is not None
    assert floor.background_cps < 10


def test_a_few_photons_cannot_tell_the_background() -> None:
    acq = b.acquisition()
    found, _ = b.photons(np.random.default_rng(1), b.auger_dot(np.random.default_rng(1), 0.5), acq=acq)
    stop = acq.pulses(0.02)
    data = b.binned(found.between(0, stop), stop, acq, bin_s=0.001)
    assert estimate_floor(*intensity_groups(data.counts, data.bin_s), data.bins) is None


def test_a_pulse_period_of_two_lifetimes_cannot_tell_the_background() -> None:
    assert floor_of("auger", 50.0, seconds=5.0) is None


def test_bins_are_sorted_into_thirds_by_brightness() -> None:
    counts = np.array([[9, 5], [0, 1], [0, 3], [0, 7], [0, 2], [1, 9]], np.float32)
    decays, seconds = intensity_groups(counts, 0.5)
    assert decays[:, 1].tolist() == [3, 8, 16]
    assert seconds.tolist() == [1, 1, 1]
