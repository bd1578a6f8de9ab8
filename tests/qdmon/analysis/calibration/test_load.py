"""Dead time, pile-up and clipping are read off the clicks of a detector."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.types import Photons
from qdmon.analysis.calibration.load import DetectorLoad, Load
from tests.qdmon.analysis import builders as b

ACQ = b.acquisition()
LOOK = ACQ.pulses(0.5)


def clicks(
    rng: np.random.Generator, rate_cps: float, dead_time_ns: float, seconds: float
) -> NDArray[np.int64]:
    """Pulses of the clicks of a blind-after-click detector under steady light with a lifetime of 20 ns."""
    n = rng.poisson(rate_cps * seconds)
    pulse = np.unique(rng.integers(0, ACQ.pulses(seconds), n))
    time_ns = pulse * 200.0 + rng.exponential(20.0, len(pulse))
    kept, last = [], -np.inf
    for p, t in zip(pulse.tolist(), time_ns.tolist(), strict=True):
        if t - last >= dead_time_ns:
            kept.append(p)
            last = t
    return np.array(kept, np.int64)


def load_of(pulses: NDArray[np.int64], seconds: float, given_ns: float | None = None) -> Load:
    load = DetectorLoad(ACQ, given_ns)
    n = len(pulses)
    photons = Photons(pulses.astype(np.uint64), np.zeros(n, np.uint16), np.zeros(n, np.uint8))
    for first in range(0, ACQ.pulses(seconds), LOOK):
        load.begin(LOOK)
        load.add(photons.between(first, first + LOOK), first)
        load.look(complete=True)
    return load.loads()[0]


def test_a_usual_detector_loses_next_to_nothing_and_its_dead_time_is_assumed() -> None:
    rng = np.random.default_rng(1)
    found = load_of(clicks(rng, 40e3, 22.0, 5.0), 5.0)
    assert found.rate_cps == pytest.approx(40e3, rel=0.03)
    assert found.per_pulse == pytest.approx(0.008, rel=0.03)
    assert (found.dead_time_ns, found.dead_time_origin) == (22.0, "assumed")
    assert found.lost < 0.002
    assert not found.even


@pytest.mark.parametrize("dead_time_ns", [700.0, 3_000.0, 9_000.0])
def test_a_dead_time_of_several_pulses_is_measured_from_the_gaps(dead_time_ns: float) -> None:
    rng = np.random.default_rng(1)
    found = load_of(clicks(rng, 40e3, dead_time_ns, 5.0), 5.0)
    assert found.dead_time_origin == "gaps between clicks"
    assert found.dead_time_ns == pytest.approx(dead_time_ns, abs=100)
    blind = 40e3 * dead_time_ns * 1e-9
    assert found.lost == pytest.approx(blind / (1 + blind), rel=0.15)


def test_a_given_dead_time_is_used_and_named() -> None:
    rng = np.random.default_rng(1)
    found = load_of(clicks(rng, 40e3, 22.0, 2.0), 2.0, given_ns=100.0)
    assert (found.dead_time_ns, found.dead_time_origin) == (100.0, "given")


def test_a_dead_time_longer_than_any_gap_looked_at_shows_as_even_counts() -> None:
    rng = np.random.default_rng(1)
    found = load_of(clicks(rng, 40e3, 20_000.0, 5.0), 5.0)
    assert found.even
    assert found.lost == pytest.approx(0.44, abs=0.06)


def test_clipping_at_a_constant_rate_shows_as_even_counts() -> None:
    rng = np.random.default_rng(1)
    clipped = np.concatenate(
        [np.sort(rng.choice(5_000, 30, replace=False)) + 5_000 * k for k in range(5_000)]
    )
    found = load_of(clipped, 5.0)
    assert found.even
    assert found.lost > 0.5


@pytest.mark.parametrize("kind", ["auger", "bc", "hc"])
def test_blinking_is_never_taken_for_saturation(kind: str) -> None:
    rng = np.random.default_rng(4)
    found, stop = b.photons(rng, b.DOTS[kind](rng, 6.0), acq=ACQ)
    load = DetectorLoad(ACQ, None)
    for first in range(0, stop - LOOK, LOOK):
        load.begin(LOOK)
        load.add(found.between(first, first + LOOK), first)
        load.look(complete=True)
    loads = load.loads()
    assert set(loads) == {0, 1}
    assert all(not x.even and x.lost < 0.01 for x in loads.values())


def test_incomplete_looks_and_another_fluence_are_not_counted() -> None:
    rng = np.random.default_rng(1)
    pulses = clicks(rng, 40e3, 22.0, 1.0)
    photons = Photons(
        pulses.astype(np.uint64), np.zeros(len(pulses), np.uint16), np.zeros(len(pulses), np.uint8)
    )
    load = DetectorLoad(ACQ, None)
    load.begin(LOOK)
    load.add(photons.between(0, LOOK), 0)
    load.look(complete=False)
    assert load.loads() == {}
    load.begin(LOOK)
    load.add(photons.between(LOOK, 2 * LOOK), LOOK)
    load.look(complete=True)
    assert set(load.loads()) == {0}
    load.another_fluence()
    assert load.loads() == {}


def test_pulses_that_step_back_are_survived() -> None:
    load = DetectorLoad(ACQ, None)
    load.begin(LOOK)
    pulses = np.array([5_000_000, 3, 4, 2_000_000], np.uint64)
    channel = np.array([0, 0, 1, 200], np.uint8)
    load.add(Photons(pulses, np.zeros(4, np.uint16), channel), 1000)
    load.look(complete=True)
    assert load.loads() == {}
