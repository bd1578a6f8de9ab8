"""Dead time and after-pulses are read off the gaps between the clicks of a detector."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.types import Photons
from qdmon.analysis.calibration.after_pulses import USUAL_PER_CLICK
from qdmon.analysis.calibration.gaps import ClickGaps, GapCounter, after_pulses_of, dead_time_of
from qdmon.analysis.calibration.timing import TimeAxis
from qdmon.analysis.results.estimate import Estimate
from tests.qdmon.analysis import builders as b

FloatArray = NDArray[np.float64]


def light(rng: np.random.Generator, photons: int, period_ns: float, lifetime_ns: float = 20.0) -> FloatArray:
    """Times of a single emitter's photons, one per pulse at most, and of a twentieth of steady light."""
    pulses = np.unique(rng.integers(0, photons * 50, photons))
    steady = rng.uniform(0, photons * 50 * period_ns, photons // 20)
    return np.concatenate([pulses * period_ns + rng.exponential(lifetime_ns, len(pulses)), steady])


def clicks(
    rng: np.random.Generator, times_ns: FloatArray, dead_ns: float, per_click: float, trap_ns: float = 50.0
) -> FloatArray:
    """Clicks of a detector that is blind after each, and clicks again by itself after some."""
    echoes = times_ns[rng.random(len(times_ns)) < per_click]
    echoes = echoes + dead_ns + rng.exponential(trap_ns, len(echoes))
    seen, last = [], -np.inf
    for time in np.sort(np.concatenate([times_ns, echoes])).tolist():
        if time - last >= dead_ns:
            seen.append(time)
            last = time
    return np.array(seen)


def photons_of(times_ns: FloatArray, period_ns: float, resolution_ps: float, at_ns: float) -> Photons:
    """As a card records them whose pulse is `at_ns` behind its clock."""
    pulse, within_ns = np.divmod(times_ns + at_ns, period_ns)
    nanotime = (within_ns * 1e3 / resolution_ps).astype(np.uint16)
    return Photons(pulse.astype(np.uint64), nanotime, np.zeros(len(pulse), np.uint8))


def gaps_of(
    times_ns: FloatArray, period_ns: float, resolution_ps: float = 64.0, at_ns: float = 4.0, cuts: int = 1
) -> ClickGaps:
    counter = GapCounter(1, period_ns)
    axis = TimeAxis.build(b.acquisition(period_ns, resolution_ps), {0: at_ns * 1e3})
    found = photons_of(times_ns, period_ns, resolution_ps, at_ns)
    for part in np.array_split(np.arange(len(found)), cuts):
        counter.add(Photons(found.pulse[part], found.nanotime[part], found.channel[part]), axis)
    return dead_time_of(counter.gaps(0))


@pytest.mark.parametrize("dead_ns", [0.0, 22.0, 45.0, 77.0, 100.0])
@pytest.mark.parametrize(("period_ns", "resolution_ps", "at_ns"), [(50.0, 64.0, 4.0), (200.0, 512.0, 0.0)])
def test_dead_time_and_after_pulses_are_those_of_the_detector(
    dead_ns: float, period_ns: float, resolution_ps: float, at_ns: float
) -> None:
    rng = np.random.default_rng(int(dead_ns))
    times = clicks(rng, light(rng, 60_000, period_ns), dead_ns, 0.01)
    found = gaps_of(times, period_ns, resolution_ps, at_ns)
    assert found.dead_ns.value == pytest.approx(dead_ns, abs=1.5)
    assert found.after_pulses.value is not None
    assert found.after_pulses.error is not None
    assert abs(found.after_pulses.value - 0.01) < 3 * found.after_pulses.error
    assert found.after_pulses.error < 0.002


@pytest.mark.parametrize("trap_ns", [25.0, 110.0])
def test_the_time_traps_take_is_measured_where_there_are_many_after_pulses(trap_ns: float) -> None:
    rng = np.random.default_rng(2)
    found = gaps_of(clicks(rng, light(rng, 100_000, 200.0), 45.0, 0.03, trap_ns), 200.0)
    assert found.trap_ns == pytest.approx(trap_ns, rel=0.15)


def test_the_stated_errors_are_the_scatter() -> None:
    rng = np.random.default_rng(3)
    found = [gaps_of(clicks(rng, light(rng, 20_000, 100.0), 30.0, 0.005), 100.0) for _ in range(25)]
    off = [(f.after_pulses.value or 0.0) - 0.005 for f in found]
    stated = float(np.median([f.after_pulses.error or 0.0 for f in found]))
    assert abs(float(np.mean(off))) < 0.5 * stated
    assert 0.4 * stated < float(np.std(off)) < 1.5 * stated


def test_without_after_pulses_few_clicks_say_nothing_of_the_dead_time() -> None:
    rng = np.random.default_rng(4)
    found = gaps_of(clicks(rng, light(rng, 5_000, 200.0), 77.0, 0.0), 200.0)
    assert found.dead_ns.value is None
    assert found.after_pulses.value == pytest.approx(0.0, abs=0.001)


@pytest.mark.parametrize("lifetime_ns", [5.0, 40.0])
def test_pulses_far_apart_are_no_dead_time(lifetime_ns: float) -> None:
    rng = np.random.default_rng(5)
    times = light(rng, 100_000, 150.0, lifetime_ns)
    found = gaps_of(np.sort(times), 150.0)
    assert found.dead_ns.value is None or found.dead_ns.value < 3
    assert found.after_pulses.value == pytest.approx(0.0, abs=0.002)


def test_several_emitters_are_not_taken_for_after_pulses() -> None:
    rng = np.random.default_rng(6)
    pulses = rng.integers(0, 5_000_000, 100_000)
    times = np.sort(pulses * 200.0 + rng.exponential(20.0, len(pulses)))
    found = gaps_of(times[np.diff(times, prepend=-1e3) > 22.0], 200.0)
    assert found.after_pulses.value is not None
    assert found.after_pulses.error is not None
    assert found.after_pulses.value < 3 * found.after_pulses.error


def test_nothing_depends_on_how_the_clicks_come() -> None:
    rng = np.random.default_rng(7)
    times = clicks(rng, light(rng, 20_000, 100.0), 45.0, 0.01)
    assert gaps_of(times, 100.0) == gaps_of(times, 100.0, cuts=37)


def test_pulses_that_step_back_and_detectors_unheard_of_are_survived() -> None:
    counter = GapCounter(1, 200.0)
    axis = TimeAxis.build(b.acquisition(), {0: 4000.0})
    pulse = np.array([5_000_000, 3, 4, 2_000_000], np.uint64)
    counter.add(Photons(pulse, np.zeros(4, np.uint16), np.array([0, 0, 0, 9], np.uint8)), axis)
    assert counter.near == 1
    assert dead_time_of(counter.gaps(0)).dead_ns.value is None


def test_detectors_together_have_their_light_weighed() -> None:
    one = ClickGaps(Estimate(22.0, 0.3), 60.0, Estimate(0.004, 0.0005))
    other = ClickGaps(Estimate(77.0, 0.3), 40.0, Estimate(0.012, 0.0005))
    both = after_pulses_of({0: one, 1: other}, {0: 3.0, 1: 1.0}, {0: 22.0, 1: 77.0})
    assert both.measured
    assert both.per_click[0] == pytest.approx(0.006)
    np.testing.assert_allclose(both.share, [0.5, 0.5], rtol=1e-5)
    np.testing.assert_array_equal(both.dead_ns, [22.0, 77.0])


def test_after_pulses_known_worse_than_those_of_usual_modules_are_the_usual_ones() -> None:
    vague = ClickGaps(Estimate(45.0, 0.3), 60.0, Estimate(0.02, 0.01))
    found = after_pulses_of({0: vague}, {0: 1.0}, {0: 45.0})
    assert not found.measured
    assert found.per_click == USUAL_PER_CLICK
    assert found.dead_ns[0] == 45.0
