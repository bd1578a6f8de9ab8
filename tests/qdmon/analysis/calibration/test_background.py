"""Uniform background read off the decays alone."""

from functools import cache

import numpy as np
import pytest

from qdmon.analysis.calibration.background import Floor, estimate_floor, intensity_groups
from qdmon.analysis.dot.binned import BinnedDecays
from tests.qdmon.analysis import builders as b


@cache
def dark_dot(kind: str, period_ns: float, seconds: float, seed: int) -> BinnedDecays:
    """A dot without background."""
    rng = np.random.default_rng(seed)
    acq = b.acquisition(period_ns)
    found, stop = b.photons(rng, b.DOTS[kind](rng, seconds), acq=acq, background_cps=0.0)
    return b.binned(found, stop, acq)


def floor_of(
    kind: str, period_ns: float, *, seconds: float = 10.0, background_cps: float = 200.0, seed: int = 1
) -> Floor | None:
    """Of a dot over a background in either detector, which comes whenever it likes."""
    data = dark_dot(kind, period_ns, seconds, seed)
    expected = 2 * background_cps * data.bin_s * data.bins.uniform_share
    counts = data.counts + np.random.default_rng([seed, round(background_cps)]).poisson(
        expected, data.counts.shape
    ).astype(np.float32)
    return estimate_floor(*intensity_groups(counts, data.bin_s), data.bins)


@pytest.mark.parametrize(("period_ns", "tolerance"), [(200.0, 0.08), (100.0, 0.25)])
@pytest.mark.parametrize("kind", ["auger", "bc", "mixed"])
def test_the_background_under_a_blinking_dot_is_found(kind: str, period_ns: float, tolerance: float) -> None:
    floors = [floor_of(kind, period_ns, seed=seed) for seed in range(5)]
    assert np.median([f.background_cps for f in floors if f is not None]) == pytest.approx(400, rel=tolerance)
    assert all(f is not None and f.delayed == 0 for f in floors)


@pytest.mark.parametrize("period_ns", [100.0, 200.0])
def test_the_true_background_lies_within_its_standard_error_as_often_as_it_should(period_ns: float) -> None:
    off = []
    for kind in ("auger", "bc", "mixed"):
        for background_cps in (20.0, 600.0, 3000.0):
            for seed in range(2):
                floor = floor_of(kind, period_ns, background_cps=background_cps, seed=seed)
                assert floor is not None
                off.append(abs(floor.background_cps - 2 * background_cps) / floor.error_cps)
    # The error allows for after-pulses, which these dots do not have: it is rather too large than too small.
    assert np.mean(np.array(off) < 1) > 0.6
    assert np.mean(np.array(off) < 2) > 0.85
    assert max(off) < 3


def test_the_error_grows_as_photons_become_fewer_and_never_below_what_after_pulses_may_do() -> None:
    short, long = (floor_of("bc", 100.0, seconds=s, background_cps=600.0) for s in (0.5, 10.0))
    assert short is not None
    assert long is not None
    assert short.error_cps > 1.3 * long.error_cps
    assert long.error_cps > 0.002 * 50e3


def test_after_pulses_are_not_taken_for_background() -> None:
    rng = np.random.default_rng(3)
    acq = b.acquisition()
    found, stop = b.photons(rng, b.auger_dot(rng, 10.0), acq=acq, background_cps=500.0)
    data = b.binned(found, stop, acq)
    # One in a hundred photons is followed by another, 60 ns behind on average and wrapped into the period.
    edges = np.clip(data.bins.edges_ns, 0, None)
    shape = (np.exp(-edges[:-1] / 60) - np.exp(-edges[1:] / 60)) / -np.expm1(-200 / 60)
    followers = rng.poisson(0.01 * data.counts.sum(axis=1, keepdims=True) * shape)
    floor = estimate_floor(*intensity_groups(data.counts + followers.astype(np.float32), 0.005), data.bins)
    assert floor is not None
    assert abs(floor.background_cps - 1000) < 2 * floor.error_cps


def test_a_known_background_is_kept_and_has_no_error_of_its_own() -> None:
    rng = np.random.default_rng(1)
    acq = b.acquisition()
    found, stop = b.photons(rng, b.auger_dot(rng, 5.0), acq=acq)
    data = b.binned(found, stop, acq)
    floor = estimate_floor(*intensity_groups(data.counts, data.bin_s), data.bins, 410.0)
    assert floor == Floor(410.0, 0.0, 0.0)


def test_a_dot_without_background_gets_none() -> None:
    floor = floor_of("auger", 200.0, background_cps=0.0)
    assert floor is not None
    assert floor.background_cps < 20
    assert floor.error_cps > 0


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
    assert decays[:, 1:].ravel().tolist() == [3, 8, 16]
    assert seconds.tolist() == [1, 1, 1]
