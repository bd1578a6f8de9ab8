"""Background counted while the laser is off or the dot has bleached."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qdmon.analysis.calibration.dark import DarkLog
from qdmon.analysis.calibration.timing import TimeAxis
from tests.qdmon.analysis import builders as b

ACQ = b.acquisition()
LOOK_S = 0.5
LOOK = ACQ.pulses(LOOK_S)
AXIS = TimeAxis.build(ACQ, {0: 4000.0, 1: 4640.0})
Counts = NDArray[np.int64]


def uniform(rng: np.random.Generator, cps: tuple[float, float]) -> Counts:
    mean = np.array(cps)[:, None] * LOOK_S / ACQ.nanotime_bins
    return np.asarray(rng.poisson(mean, (2, ACQ.nanotime_bins)), np.int64)


def pulsed(rng: np.random.Generator, cps: float) -> Counts:
    time_ns = 4.0 + rng.exponential(20.0, (2, int(cps * LOOK_S)))
    bins = np.minimum((time_ns / 0.064).astype(np.int64), ACQ.nanotime_bins - 1)
    return np.stack([np.bincount(row, minlength=ACQ.nanotime_bins) for row in bins])


def test_looks_with_darkness_on_both_sides_are_counted_for_each_detector() -> None:
    rng = np.random.default_rng(1)
    log = DarkLog(ACQ)
    for i in range(12):
        if i == 2:
            log.laser(i * LOOK, dark=True)
        if i == 10:
            log.laser(i * LOOK, dark=False)
        dark = 2 <= i < 10
        log.look(i * LOOK, uniform(rng, (200.0, 90.0)) if dark else pulsed(rng, 30e3), AXIS, LOOK_S)
    rates = log.dark_cps()
    assert rates is not None
    assert rates[0].value == pytest.approx(200, abs=4 * (rates[0].error or 0))
    assert rates[1].value == pytest.approx(90, abs=4 * (rates[1].error or 0))
    # Eight dark looks; the first and the last are at the edge.
    assert rates[0].error == pytest.approx(np.sqrt(200 / 3), rel=0.1)


def test_light_that_comes_on_late_and_goes_out_early_does_no_harm() -> None:
    rng = np.random.default_rng(1)
    log = DarkLog(ACQ)
    log.look(0, pulsed(rng, 30e3), AXIS, LOOK_S)
    log.laser(LOOK + 1000, dark=True)
    for i in range(1, 9):
        lit = i in (1, 8)
        if i == 8:
            log.laser(8 * LOOK + LOOK // 2, dark=False)
        log.look(i * LOOK, pulsed(rng, 30e3) if lit else uniform(rng, (150.0, 150.0)), AXIS, LOOK_S)
    rates = log.dark_cps()
    assert rates is not None
    assert rates[0].value == pytest.approx(150, rel=0.2)


def test_a_short_darkness_says_nothing() -> None:
    rng = np.random.default_rng(1)
    log = DarkLog(ACQ)
    log.laser(0, dark=True)
    for i in range(3):
        log.look(i * LOOK, uniform(rng, (150.0, 150.0)), AXIS, LOOK_S)
    log.laser(3 * LOOK, dark=False)
    assert log.dark_cps() is None


def test_a_darkness_with_pulsed_light_in_it_is_not_believed() -> None:
    rng = np.random.default_rng(1)
    log = DarkLog(ACQ)
    log.laser(0, dark=True)
    for i in range(8):
        log.look(i * LOOK, pulsed(rng, 5e3), AXIS, LOOK_S)
    assert log.lit
    assert log.dark_cps() is None


def test_losses_are_not_darkness() -> None:
    rng = np.random.default_rng(1)
    log = DarkLog(ACQ)
    log.laser(0, dark=True)
    for i in range(10):
        lost = i % 2 == 1
        cps = 0.0 if lost else 200.0
        log.look(i * LOOK, uniform(rng, (cps, cps)), AXIS, 0.0 if lost else LOOK_S)
    rates = log.dark_cps()
    assert rates is not None
    assert rates[0].value == pytest.approx(200, rel=0.2)


def test_the_tail_of_a_bleached_dot_is_background_without_its_prompt_light() -> None:
    rng = np.random.default_rng(1)
    log = DarkLog(ACQ)
    prompt = np.zeros((2, ACQ.nanotime_bins), np.int64)
    prompt[:, 70] = 40
    for i in range(20):
        log.look(i * LOOK, pulsed(rng, 30e3), AXIS, LOOK_S)
    for i in range(20, 44):
        log.look(i * LOOK, uniform(rng, (180.0, 70.0)) + prompt, AXIS, LOOK_S)
    assert log.bleached_cps() is None
    log.bleached(20 * LOOK)
    for i in range(44, 60):
        log.look(i * LOOK, uniform(rng, (180.0, 70.0)) + prompt, AXIS, LOOK_S)
    rates = log.bleached_cps()
    assert rates is not None
    assert rates[0].value == pytest.approx(180, abs=4 * (rates[0].error or 0))
    assert rates[1].value == pytest.approx(70, abs=4 * (rates[1].error or 0))


def test_a_dot_that_was_not_bleached_after_all_is_not_counted_as_background() -> None:
    rng = np.random.default_rng(1)
    log = DarkLog(ACQ)
    log.bleached(0)
    for i in range(2, 40):
        back = i > 20
        log.look(i * LOOK, pulsed(rng, 30e3) if back else uniform(rng, (180.0, 180.0)), AXIS, LOOK_S)
    rates = log.bleached_cps()
    assert rates is not None
    assert rates[0].value == pytest.approx(180, rel=0.15)


def test_another_fluence_brings_another_background() -> None:
    rng = np.random.default_rng(1)
    log = DarkLog(ACQ)
    log.bleached(0)
    for i in range(2, 20):
        log.look(i * LOOK, uniform(rng, (180.0, 180.0)), AXIS, LOOK_S)
    log.another_fluence()
    assert log.bleached_cps() is None
